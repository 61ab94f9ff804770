import type { Transaction } from 'kysely'
import { handlerTimeoutMsDefault } from '../limits.ts'
import type { Attempt } from '../observe/observer.ts'
import { type DeliveryTools, openHandling } from '../outbox/handler-context.ts'
import { type Failure, failureOf } from '../retry/failure.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { InboxRow } from '../store/tables/inbox.ts'
import type { Delivery } from './delivery.ts'
import { Repeat, recordHandled } from './inbox.ts'
import { type RunOutcome, runHandler } from './run-handler.ts'
import type { AfterCommit } from './subscription.ts'

export type DeliveryOutcome =
  | { readonly kind: 'handled' }
  /** It was handled before: nothing happened. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'failed'; readonly failure: Failure }

export interface DeliverOptions {
  readonly stopping: AbortSignal
  /** Joins the handler's transaction, after the inbox row: what else must be true with it. */
  readonly alongside?: (db: Transaction<KitTables>) => Promise<AfterCommit>
}

/**
 * One attempt: the handler, its transaction and the inbox row in it (P3). Never throws. A
 * handler that used no database commits an inbox row all the same.
 */
export async function deliver(
  tools: DeliveryTools,
  delivery: Delivery,
  { stopping, alongside }: DeliverOptions,
): Promise<DeliveryOutcome> {
  const { clock, observer } = tools
  const { subscription, event, traceparent, tracestate, progress } = delivery
  const { timeoutMs = handlerTimeoutMsDefault } = subscription.options
  const afterwards: AfterCommit[] = []
  const attempt: Attempt = {
    deliveries: [delivery],
    number: progress.attempts + 1,
    startedAtMs: clock.nowMs(),
  }
  observer.attempting?.(attempt)
  const outcome = await runHandler(
    async (signal) => {
      const handling = openHandling(tools, {
        event,
        traceparent,
        tracestate,
        attempt: attempt.number,
        signal,
        opened: async (db) => {
          await recordHandled(db, inboxRowOf(delivery, tools.clock.nowMs()))
          if (alongside !== undefined) afterwards.push(await alongside(db))
        },
      })
      signal.addEventListener('abort', () => void handling.rollback(), { once: true })
      try {
        const work = () => handling.run(() => subscription.handle(event, handling.context))
        const handled = await (observer.around?.(attempt, work) ?? work())
        await handling.commit()
        // Also where the time ran out during the commit: what it says is true.
        for (const act of afterwards) act()
        handled?.()
      } catch (error) {
        await handling.rollback()
        throw error
      }
    },
    { timeoutMs, clock: tools.clock, stopping },
  )
  const ended = endOf(outcome)
  observer.attempted?.(attempt, ended, clock.nowMs())
  return ended
}

function endOf(outcome: RunOutcome<void>): DeliveryOutcome {
  if (outcome.kind === 'returned') return { kind: 'handled' }
  if (outcome.thrown instanceof Repeat) return { kind: 'repeat' }
  return { kind: 'failed', failure: failureOf(outcome.thrown) }
}

/** The row that says that a delivery's event was handled. */
function inboxRowOf({ event, subscription, origin, record }: Delivery, nowMs: number): InboxRow {
  return {
    event_id: event.eventId,
    subscription: subscription.name,
    handled_at_ms: nowMs,
    topic_id: origin.topicId,
    partition: record.partition,
    record_offset: Number(record.offset),
  }
}

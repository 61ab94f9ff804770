import type { Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import type { Attempt, AttemptOutcome } from '../observe/observer.ts'
import {
  type DeliveryTools,
  type Handling,
  openBatchHandling,
  openHandling,
} from '../outbox/handler-context.ts'
import { type Failure, failureOf } from '../retry/failure.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { InboxRow } from '../store/tables/inbox.ts'
import { type Admission, admit, Held } from './admission.ts'
import type { Delivery } from './delivery.ts'
import { type Fence, Fenced } from './fence.ts'
import type { HandledRows } from './handled-rows.ts'
import type { RunOutcome } from './handler-run.ts'
import { Repeat } from './inbox.ts'
import { undoneMax } from './limits.ts'
import type { Run } from './runs.ts'
import type { AfterCommit } from './subscription.ts'

export type DeliveryOutcome =
  | { readonly kind: 'handled' }
  /** It was handled before, or one of a batch was: nothing happened. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** An earlier event of its key is a dead letter: nothing happened. */
  | { readonly kind: 'held' }
  /** Another instance has claimed its partition: nothing happened. */
  | { readonly kind: 'fenced' }
  /** Cut short: nothing happened, and nobody is to blame. */
  | { readonly kind: 'abandoned' }

export interface DeliverOptions {
  readonly handledRows: HandledRows
  /** Its handler is done, and used no transaction: others may begin while it is written down. */
  readonly release: () => void
  readonly fence: Fence
  /** Joins the handler's transaction, after the inbox rows: what else must be true with them. */
  readonly alongside?: (db: Transaction<KitTables>) => Promise<AfterCommit>
}

/**
 * One attempt: the handler, its transaction and the inbox rows in it (P3), for one event or for a
 * batch. Never throws. A handler that used no transaction commits its inbox rows all the same,
 * with those of others.
 */
export async function deliver(
  tools: DeliveryTools,
  run: Run,
  options: DeliverOptions,
): Promise<DeliveryOutcome> {
  const { clock, observer } = tools
  const { deliveries, handler } = run
  const attempts = deliveries.map(({ progress }) => progress.attempts)
  const attempt: Attempt = {
    deliveries,
    number: 1 + Math.max(...attempts),
    startedAtMs: clock.nowMs(),
  }
  observer.attempting?.(attempt)
  const outcome = await handler.run(() => handle(tools, { ...options, run, attempt }))
  const ended = run.isCutShort ? cutShort(outcome) : endOf(run, outcome)
  observer.attempted?.(attempt, asObserved(ended), clock.nowMs())
  return ended
}

interface HandleOptions extends DeliverOptions {
  readonly run: Run
  readonly attempt: Attempt
}

/**
 * Runs the handler and commits. Where its transaction was one that several shared, and was undone
 * with theirs, it runs again: alone where it may have been its own doing, so that an error counts
 * only if it is its own.
 */
async function handle(tools: DeliveryTools, options: HandleOptions): Promise<void> {
  const { run } = options
  for (let undone = 0, isAlone = false; ; undone += 1) {
    const afterwards: AfterCommit[] = []
    const handling = openFor(tools, options, { isAlone, afterwards })
    run.handler.whenOver(() => void handling.rollback())
    try {
      await handling.handle()
      await commit(tools, options, handling)
      // Also where the time ran out during the commit: what it says is true.
      for (const act of afterwards) act()
      return
    } catch (error) {
      await handling.rollback()
      const reason = handling.undone()
      if (reason === null || run.handler.signal.aborted) throw error
      isAlone = reason.by === 'itself' || undone >= undoneMax
    }
  }
}

interface Opening {
  readonly isAlone: boolean
  readonly afterwards: AfterCommit[]
}

type Opened = Omit<Handling<unknown>, 'run' | 'context'> & { handle(): Promise<void> }

/** The handler with its context, in the one form or the other. */
function openFor(tools: DeliveryTools, options: HandleOptions, opening: Opening): Opened {
  const { run, attempt, alongside, fence } = options
  const { isAlone, afterwards } = opening
  const { subscription, deliveries, handler } = run
  const common = {
    attempt: attempt.number,
    signal: handler.signal,
    ...(isAlone ? {} : { shared: subscription.name }),
    opened: async (db: Transaction<KitTables>) => {
      const rows = inboxRowsOf(deliveries, tools.clock.nowMs())
      await admit(db, admissionsOf(deliveries, rows, fence), tools.store.dialect)
      if (alongside !== undefined) afterwards.push(await alongside(db))
    },
  }
  const observed = <Result>(work: () => Promise<Result>): Promise<Result> =>
    tools.observer.around?.(attempt, work) ?? work()
  if (subscription.batch !== undefined) {
    const handling = openBatchHandling(tools, { ...common, heard: deliveries })
    const events: readonly AnyEvent[] = deliveries.map(({ event }) => event)
    const work = () => handling.run(() => subscription.handleBatch(events, handling.context))
    return Object.assign(handling, { handle: () => observed(work) })
  }
  const [delivery] = deliveries
  if (delivery === undefined) throw new Error('a run without an event')
  const { event, traceparent, tracestate } = delivery
  const handling = openHandling(tools, { ...common, event, traceparent, tracestate })
  const work = () => handling.run(() => subscription.handle(event, handling.context))
  return Object.assign(handling, {
    async handle() {
      const handled = await observed(work)
      if (handled !== undefined) afterwards.push(handled)
    },
  })
}

/** A handler that used no transaction takes none of its own. */
async function commit(
  tools: DeliveryTools,
  { run, alongside, handledRows, release }: HandleOptions,
  handling: Opened,
): Promise<void> {
  if (handling.isUsed() || alongside !== undefined) {
    await handling.commit()
    return
  }
  await handling.rollback()
  const { signal } = run.handler
  signal.throwIfAborted() // It has left its place to others already.
  release()
  const rows = inboxRowsOf(run.deliveries, tools.clock.nowMs())
  await handledRows.add(rows, signal)
}

/** Who observes attempts need not know why one was no attempt. */
function asObserved(outcome: DeliveryOutcome): AttemptOutcome {
  return outcome.kind === 'held' || outcome.kind === 'fenced' ? { kind: 'abandoned' } : outcome
}

/** What ended before it was cut short has happened. */
function cutShort(outcome: RunOutcome<void>): DeliveryOutcome {
  return outcome.kind === 'returned' ? { kind: 'handled' } : { kind: 'abandoned' }
}

function endOf({ subscription }: Run, outcome: RunOutcome<void>): DeliveryOutcome {
  if (outcome.kind === 'returned') return { kind: 'handled' }
  if (outcome.thrown instanceof Repeat) return { kind: 'repeat' }
  if (outcome.thrown instanceof Held) return { kind: 'held' }
  if (outcome.thrown instanceof Fenced) return { kind: 'fenced' }
  return { kind: 'failed', failure: failureOf(outcome.thrown, subscription.options.retry?.fatal) }
}

/** The rows that say that deliveries' events were handled. */
function inboxRowsOf(deliveries: readonly Delivery[], nowMs: number): readonly InboxRow[] {
  return deliveries.map(({ event, subscription, origin, record }) => ({
    event_id: event.eventId,
    subscription: subscription.name,
    handled_at_ms: nowMs,
    topic_id: origin.topicId,
    partition: record.partition,
    record_offset: Number(record.offset),
  }))
}

/** What the first statement of their transaction is to find. */
function admissionsOf(
  deliveries: readonly Delivery[],
  rows: readonly InboxRow[],
  fence: Fence,
): readonly Admission[] {
  return deliveries.flatMap(({ source, subscription, eventKey, origin }, index) => {
    const row = rows[index]
    if (row === undefined) return []
    // A stored event is the letter that holds its key; one that needs no order is held by none.
    const isOrdered = source.kind === 'live' && subscription.options.onExhausted !== 'skip'
    const key =
      isOrdered && eventKey !== null ? { stream: subscription.stream, key: eventKey } : null
    return [{ row, claim: fence.claimOf(origin), key }]
  })
}

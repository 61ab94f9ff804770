// One event of the past, given to its handler once more.

import type { Kysely, Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import { admit } from '../inbox/admission.ts'
import { HandlerRun, HandlerTimeout } from '../inbox/handler-run.ts'
import { Repeat } from '../inbox/inbox.ts'
import type { Subscription } from '../inbox/subscription.ts'
import { handlerTimeoutMsDefault } from '../limits.ts'
import {
  type DeliveryTools,
  type Handling,
  openBatchHandling,
  openHandling,
} from '../outbox/handler-context.ts'
import { type Failure, failureOf } from '../retry/failure.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { InboxRow } from '../store/tables/inbox.ts'
import { MutedEffects, MutedOutbox, type Wanted } from './muted.ts'

export interface Past {
  readonly subscription: Subscription
  readonly event: AnyEvent
  /** Says that it was handled under the replay's name; null where nothing is committed. */
  readonly inboxRow: InboxRow | null
  readonly attempt: number
  readonly signal: AbortSignal
  /** Mutes also a handler that says it is safe. Default: it speaks where it commits. */
  readonly isMuted?: boolean
  /** Sees, and may change, the database as the handler has it. */
  readonly watch?: (db: Transaction<KitTables>) => Transaction<KitTables>
}

export type Rehandled =
  | { readonly kind: 'handled'; readonly wanted: Wanted }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly wanted: Wanted }

/**
 * Runs the handler. With an inbox row its changes are committed together with it, else they are
 * rolled back. What it does and says is muted, unless it declares that it is safe and commits.
 */
export async function rehandle(tools: DeliveryTools, past: Past): Promise<Rehandled> {
  const { subscription, inboxRow, signal } = past
  const wanted: Wanted = { effects: [], events: [] }
  const { isMuted = false } = past
  const isSafe = subscription.options.replay === 'safe' && inboxRow !== null && !isMuted
  const muted = isSafe ? tools : mute(tools, wanted)
  const run = new HandlerRun()
  const { timeoutMs = handlerTimeoutMsDefault } = subscription.options
  const timer = tools.clock.after(timeoutMs, () =>
    run.abort(new HandlerTimeout(`the handler took longer than ${timeoutMs} ms`)),
  )
  const stop = (): void => run.abort(new HandlerTimeout('the replay was interrupted'))
  signal.addEventListener('abort', stop, { once: true })
  try {
    const outcome = await run.run(() => handleOnce(muted, past, run))
    if (outcome.kind === 'returned') return { kind: 'handled', wanted }
    if (outcome.thrown instanceof Repeat) return { kind: 'repeat' }
    const failure = failureOf(outcome.thrown, subscription.options.retry?.fatal)
    return { kind: 'failed', failure, wanted }
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', stop)
  }
}

function mute(tools: DeliveryTools, wanted: Wanted): DeliveryTools {
  const { store, service, clock } = tools
  const effects = new MutedEffects({ store, group: service.group, clock }, wanted)
  return { ...tools, effects, outbox: new MutedOutbox(wanted) }
}

async function handleOnce(tools: DeliveryTools, past: Past, run: HandlerRun): Promise<void> {
  const { inboxRow } = past
  const { dialect } = tools.store
  const opened =
    inboxRow === null
      ? {}
      : {
          opened: (db: Kysely<KitTables>) =>
            admit(db, [{ row: inboxRow, claim: null, key: null }], dialect),
        }
  const common = { attempt: past.attempt, signal: run.signal, ...opened }
  const { handling, handle } = openFor(tools, past, common)
  run.whenOver(() => void handling.rollback())
  try {
    await handle()
    if (inboxRow === null) await settle(handling)
    else await handling.commit()
  } catch (error) {
    await handling.rollback()
    throw error
  }
}

/** As a commit would: what was published and does not fit is an error; then nothing is kept. */
async function settle(handling: Handling<unknown>): Promise<void> {
  await handling.settled()
  await handling.rollback()
}

interface Common {
  readonly attempt: number
  readonly signal: AbortSignal
  readonly opened?: (db: Transaction<KitTables>) => Promise<void>
}

function openFor(
  tools: DeliveryTools,
  { subscription, event, watch = (db) => db }: Past,
  common: Common,
): { readonly handling: Handling<unknown>; readonly handle: () => Promise<unknown> } {
  const heard = { event, traceparent: null }
  if (subscription.batch !== undefined) {
    const handling = openBatchHandling(tools, { ...common, heard: [heard] })
    const context = { ...handling.context, db: watch(handling.context.db) }
    return {
      handling,
      handle: () => handling.run(() => subscription.handleBatch([event], context)),
    }
  }
  const handling = openHandling(tools, { ...common, ...heard })
  const context = { ...handling.context, db: watch(handling.context.db) }
  return { handling, handle: () => handling.run(() => subscription.handle(event, context)) }
}

// What a redrive would try, and what would come of it: nothing is changed, and nothing happens.

import type { Kysely } from 'kysely'
import { readRecord } from '../catalogue/read-record.ts'
import type { Subscription } from '../inbox/subscription.ts'
import type { JobReport, JobWork } from '../job/job.ts'
import { alikeRedrivesMax, lettersChunkMax, lettersTriedMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { rehandle } from '../replay/rehandle.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type DeadLetterTarget, fits, narrowed } from './letter-query.ts'
import type { Letter } from './letters.ts'
import { failedAlike, reasonSignature } from './reason-signature.ts'
import { recordOf } from './stored-record.ts'

/** Letters that are alike, most first. */
export interface LetterGroup {
  readonly eventType: string | null
  readonly topic: string
  /** What their reasons have in common. */
  readonly signature: string
  readonly letters: number
}

/** How many of each kind a redrive would try, and how many of them the guard would leave. */
export async function countLettersTried(
  db: Kysely<KitTables>,
  target: DeadLetterTarget,
  last: number,
): Promise<JobReport> {
  const query = db
    .selectFrom('millrace_dead_letters')
    .select(['event_type', 'topic', 'reason', 'alike', 'redriven_signature', 'state'])
  const rows = await narrowed(query, target, { after: 0, last }).execute()
  const letters = rows.filter((row) => fits(row, target))
  const groups = new Map<string, LetterGroup>()
  for (const { event_type: eventType, topic, reason } of letters) {
    const signature = reasonSignature(reason)
    const name = JSON.stringify([eventType, topic, signature])
    const known = groups.get(name)?.letters ?? 0
    groups.set(name, { eventType, topic, signature, letters: known + 1 })
  }
  return {
    letters: letters.length,
    guarded: letters.filter((letter) => failedAlike(letter) >= alikeRedrivesMax).length,
    groups: [...groups.values()].toSorted((one, other) => other.letters - one.letters),
  }
}

/** What came of running the handlers. */
interface Tried {
  readonly position: number
  readonly done: number
  readonly succeeding: number
  readonly failing: number
  /** Letters that were not run: their handler forbids it, or there is none. */
  readonly left: number
  /** By what their failures have in common. */
  readonly failures: Readonly<Record<string, number>>
}

/**
 * Runs each letter's handler from the database as it is now, rolls it back, and mutes its effects.
 * Each is tried alone: what one would have changed for the next of its key is not seen by it.
 */
export function tryLettersJob(
  tools: DeliveryTools,
  subscriptions: readonly Subscription[],
): JobWork {
  return async ({ id, command, last, position, report, done }, { signal, note }) => {
    if (command.action !== 'try') throw new Error(`job ${id} is no dry run`)
    const { target } = command
    let tried = continued({ position, done }, report)
    const isInterrupted = (): boolean => signal.aborted
    while (!isInterrupted()) {
      const query = tools.store.read
        .selectFrom('millrace_dead_letters')
        .selectAll()
        .limit(lettersChunkMax)
      const found = await narrowed(query, target, { after: tried.position, last }).execute()
      for (const letter of found) {
        if (isInterrupted()) return { kind: 'interrupted' }
        const isMeant = fits(letter, target)
        const outcome = isMeant ? await tryLetter(tools, subscriptions, { letter, signal }) : null
        if (isInterrupted()) return { kind: 'interrupted' }
        tried = { ...added(tried, outcome), position: letter.id }
        note(stepOf(tried))
        if (tried.done >= lettersTriedMax) return { kind: 'done', step: stepOf(tried) }
      }
      if (found.length < lettersChunkMax) return { kind: 'done', step: stepOf(tried) }
    }
    return { kind: 'interrupted' }
  }
}

type TryOutcome =
  | { readonly kind: 'succeeds' }
  | { readonly kind: 'fails'; readonly reason: string }
  | { readonly kind: 'left' }

async function tryLetter(
  tools: DeliveryTools,
  subscriptions: readonly Subscription[],
  { letter, signal }: { readonly letter: Letter; readonly signal: AbortSignal },
): Promise<TryOutcome> {
  const { record, origin } = recordOf(letter)
  const catalogue = subscriptions.find(({ topic }) => topic === letter.topic)?.catalogue
  if (catalogue === undefined) return { kind: 'left' }
  const read = await readRecord(catalogue, record, origin)
  if (read.kind === 'misfit') return { kind: 'fails', reason: read.reason }
  const { event } = read
  const subscription = subscriptions.find(({ name }) => name === event.eventType)
  if (subscription === undefined || subscription.options.replay === 'forbid') {
    return { kind: 'left' }
  }
  const past = { subscription, event, inboxRow: null, attempt: 1, signal, isMuted: true }
  const outcome = await rehandle(tools, past)
  return outcome.kind === 'failed'
    ? { kind: 'fails', reason: outcome.failure.message }
    : { kind: 'succeeds' }
}

function added(tried: Tried, outcome: TryOutcome | null): Tried {
  if (outcome === null) return tried
  const { done, succeeding, failing, left, failures } = tried
  const more = { ...tried, done: done + 1 }
  if (outcome.kind === 'succeeds') return { ...more, succeeding: succeeding + 1 }
  if (outcome.kind === 'left') return { ...more, left: left + 1 }
  const signature = reasonSignature(outcome.reason)
  const known = failures[signature] ?? 0
  return {
    ...more,
    failing: failing + 1,
    failures: { ...failures, [signature]: known + 1 },
  }
}

/** A dry run that was interrupted goes on where it was. */
function continued({ position, done }: Pick<Tried, 'position' | 'done'>, report: JobReport): Tried {
  const count = (name: string) => (typeof report[name] === 'number' ? report[name] : 0)
  const { failures } = report
  return {
    position,
    done,
    succeeding: count('succeeding'),
    failing: count('failing'),
    left: count('left'),
    failures: Object.fromEntries(
      Object.entries(typeof failures === 'object' ? (failures ?? {}) : {}).map(
        ([reason, times]) => [reason, Number(times)],
      ),
    ),
  }
}

function stepOf({ position, done, ...report }: Tried) {
  return { position, done, report }
}

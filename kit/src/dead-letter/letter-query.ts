// Which dead letters are meant, as a value that travels in a command, and as a query.

import type { Kysely, SelectQueryBuilder } from 'kysely'
import { isObject } from '../catalogue/json-value.ts'
import { isRfc3339 } from '../catalogue/read-record.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { DeadLetterState } from '../store/tables/dead-letters.ts'
import type { Letter } from './letters.ts'
import { reasonSignature } from './reason-signature.ts'

/** All members that are there must fit; with none, all of the service's letters are meant. */
export interface DeadLetterTarget {
  /** A letter's id. To redrive one that stands behind others redrives its key, from the first. */
  readonly id?: string
  /** A key, on every stream that holds it back. */
  readonly key?: string
  readonly eventType?: string
  readonly topic?: string
  readonly state?: DeadLetterState
  readonly correlationId?: string
  /** Put aside at this RFC 3339 time or later; `until`: before it. */
  readonly since?: string
  readonly until?: string
  /** A part of the reason, in any case. */
  readonly reason?: string
  /** What the reason has in common with others: see `reasonSignature`. */
  readonly signature?: string
}

const states: readonly string[] = ['waiting', 'parked', 'behind', 'skipped', 'rejected']
const times: readonly string[] = ['since', 'until']
const members: readonly string[] = [
  'id',
  'key',
  'eventType',
  'topic',
  'state',
  'correlationId',
  ...times,
  'reason',
  'signature',
]

/** What is wrong with a target that came from elsewhere; null where nothing is. */
export function targetIssue(value: unknown): string | null {
  if (!isObject(value)) return 'target: is an object, empty for all'
  for (const [name, text] of Object.entries(value)) {
    if (!members.includes(name)) {
      return `target: has no "${name.slice(0, 40)}" (it has ${members.join(', ')})`
    }
    if (typeof text !== 'string') return `target: ${name} is a text`
    if (times.includes(name) && !isRfc3339(text)) return `target: ${name} is an RFC 3339 time`
    if (name === 'state' && !states.includes(text)) {
      return `target: state is one of ${states.join(', ')}`
    }
  }
  return null
}

export function isTarget(value: unknown): value is DeadLetterTarget {
  return targetIssue(value) === null
}

/** True where somebody names a letter or a key: then they know which they mean. */
export function isNamed({ id, key }: DeadLetterTarget): boolean {
  return id !== undefined || key !== undefined
}

/** A stretch of letters, by their row's number: above `after`, up to `last`. */
export interface LetterRange {
  readonly after: number
  readonly last: number
}

type LetterSelect<Output> = SelectQueryBuilder<KitTables, 'millrace_dead_letters', Output>

/** What of a target the database knows; `fits` knows the rest. */
export function narrowed<Output>(
  query: LetterSelect<Output>,
  target: DeadLetterTarget,
  { after, last }: LetterRange,
): LetterSelect<Output> {
  const { id, key, eventType, topic, state, correlationId, since, until } = target
  let chosen = query.where('id', '>', after).where('id', '<=', last)
  if (id !== undefined) chosen = chosen.where('letter_id', '=', id)
  if (key !== undefined) chosen = chosen.where('held_key', '=', key)
  if (eventType !== undefined) chosen = chosen.where('event_type', '=', eventType)
  if (topic !== undefined) chosen = chosen.where('topic', '=', topic)
  if (state !== undefined) chosen = chosen.where('state', '=', state)
  if (correlationId !== undefined) chosen = chosen.where('correlation_id', '=', correlationId)
  if (since !== undefined) chosen = chosen.where('parked_at_ms', '>=', Date.parse(since))
  if (until !== undefined) chosen = chosen.where('parked_at_ms', '<', Date.parse(until))
  return chosen.orderBy('id')
}

/** Whether a letter's reason is meant. */
export function fits(
  { reason }: Pick<Letter, 'reason'>,
  { reason: part, signature }: DeadLetterTarget,
): boolean {
  if (part !== undefined && !reason.toLowerCase().includes(part.toLowerCase())) return false
  return signature === undefined || reasonSignature(reason) === signature
}

/** How many letters are meant now, and the last of them: what comes later is not. */
export async function measure(
  db: Kysely<KitTables>,
  target: DeadLetterTarget,
): Promise<{ readonly total: number; readonly last: number }> {
  const all = { after: 0, last: Number.MAX_SAFE_INTEGER }
  const query = db.selectFrom('millrace_dead_letters').select(['id', 'reason'])
  const found = (await narrowed(query, target, all).execute()).filter((row) => fits(row, target))
  return { total: found.length, last: found.at(-1)?.id ?? 0 }
}

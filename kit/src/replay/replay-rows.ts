// How far a replay is, in the store.

import type { Kysely } from 'kysely'
import { isObject } from '../catalogue/json-value.ts'
import { MillraceError } from '../errors.ts'
import { replaysKeptMs } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { ReplayProgress } from './replay.ts'
import type { ReplayRange } from './replay-range.ts'

export interface ReplayState {
  /** Which events it was begun for, sorted. */
  readonly events: readonly string[]
  readonly ranges: readonly ReplayRange[]
  readonly progress: ReplayProgress
}

/** The replay of that name, or null where there is none. */
export async function readReplay(db: Kysely<KitTables>, name: string): Promise<ReplayState | null> {
  const row = await db
    .selectFrom('millrace_replays')
    .select('state')
    .where('name', '=', name)
    .executeTakeFirst()
  return row === undefined ? null : stateOf(JSON.parse(row.state), name)
}

/** Also forgets what nobody went on with for long. */
export async function keepReplay(
  db: Kysely<KitTables>,
  { events, ranges, progress }: ReplayState,
  nowMs: number,
): Promise<void> {
  const plain = ranges.map((range) => ({
    ...range,
    next: String(range.next),
    end: String(range.end),
  }))
  const row = {
    name: progress.name,
    state: JSON.stringify({ events, ranges: plain, progress }),
    changed_at_ms: nowMs,
  }
  await db
    .insertInto('millrace_replays')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
  await db
    .deleteFrom('millrace_replays')
    .where('changed_at_ms', '<', nowMs - replaysKeptMs)
    .execute()
}

function stateOf(value: unknown, name: string): ReplayState {
  const { events, ranges, progress } = isObject(value) ? value : {}
  if (!Array.isArray(events) || !Array.isArray(ranges) || !isObject(progress)) {
    throw new MillraceError('store-damaged', `the state of replay "${name}" cannot be read`)
  }
  const count = (member: string) => Number(progress[member] ?? 0)
  return {
    events: events.map(String),
    ranges: ranges.map((range: unknown) => {
      const { topic, topicId, partition, next, end } = isObject(range) ? range : {}
      return {
        topic: String(topic),
        topicId: String(topicId),
        partition: Number(partition),
        next: BigInt(String(next)),
        end: BigInt(String(end)),
      }
    }),
    progress: {
      name,
      recordsTotal: count('recordsTotal'),
      recordsRead: count('recordsRead'),
      handled: count('handled'),
      repeated: count('repeated'),
      effectsSuppressed: count('effectsSuppressed'),
      eventsSuppressed: count('eventsSuppressed'),
    },
  }
}

import type { Clock } from '../clock.ts'
import { heldKeysListedMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import { type HeldKey, heldKeys } from './holds.ts'
import type { Outbox } from './outbox.ts'

export interface OutboxHealth {
  /** Events that are said, and not on Kafka yet. */
  readonly unsent: number
  /** How long the oldest of them has waited, or null where there is none. */
  readonly oldestUnsentMs: number | null
  /** Keys that wait because Kafka refused an event of theirs; the longest held first. */
  readonly held: readonly HeldKey[]
}

export async function outboxHealth(
  store: Store<KitTables>,
  outbox: Outbox,
  clock: Clock,
): Promise<OutboxHealth> {
  if (!outbox.isCounted) return { unsent: 0, oldestUnsentMs: null, held: [] }
  if (store.dialect === 'postgres') await outbox.recount(store.read) // Others say and send, too.
  const oldest = await store.read
    .selectFrom('millrace_outbox')
    .select('timestamp_ms')
    .where('sent_cluster_id', 'is', null)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return {
    unsent: outbox.unsent,
    oldestUnsentMs: oldest === undefined ? null : Math.max(0, clock.nowMs() - oldest.timestamp_ms),
    held: await heldKeys(store.read, heldKeysListedMax),
  }
}

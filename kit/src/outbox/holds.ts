import type { Kysely, Transaction } from 'kysely'
import { holdRetryMsMax, holdRetryMsMin } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { UnsentRow } from './unsent.ts'

/** A key whose events wait because Kafka refused the first of them. */
export interface HeldKey {
  readonly topic: string
  readonly key: string | null
  readonly eventId: string
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly sinceMs: number
  readonly retryAtMs: number
}

export interface Refusal {
  readonly row: UnsentRow
  readonly code: string
  readonly message: string
  readonly nowMs: number
}

/** Holds the row's key back until the row's next try, and tells when that is. */
export async function holdKey(
  db: Transaction<KitTables>,
  { row, code, message, nowMs }: Refusal,
): Promise<number> {
  const attempts = (row.attempts ?? 0) + 1
  const retry_at_ms = nowMs + Math.min(holdRetryMsMin * 2 ** (attempts - 1), holdRetryMsMax)
  await db
    .insertInto('millrace_outbox_holds')
    .values({
      outbox_id: row.id,
      topic: row.topic,
      stream: row.stream,
      key: row.key,
      event_id: row.event_id,
      code,
      message,
      attempts,
      since_ms: nowMs,
      retry_at_ms,
    })
    .onConflict((conflict) =>
      conflict.column('outbox_id').doUpdateSet({ code, message, attempts, retry_at_ms }),
    )
    .execute()
  return retry_at_ms
}

/** The longest held first, at most `keysMax`. */
export async function heldKeys(db: Kysely<KitTables>, keysMax: number): Promise<HeldKey[]> {
  const rows = await db
    .selectFrom('millrace_outbox_holds')
    .selectAll()
    .orderBy('since_ms')
    .limit(keysMax)
    .execute()
  return rows.map((row) => ({
    topic: row.topic,
    key: row.key,
    eventId: row.event_id,
    code: row.code,
    message: row.message,
    attempts: row.attempts,
    sinceMs: row.since_ms,
    retryAtMs: row.retry_at_ms,
  }))
}

// One dead letter whole, for whoever asked and nobody else.

import type { Kysely } from 'kysely'
import { seal } from '../control/sealed.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { deadLetterOf } from './announcement.ts'
import { checkKnown } from './dead-letters.ts'
import { recordOf } from './stored-record.ts'

export interface ShowRequest {
  readonly id: string
  readonly sealFor: string
}

/**
 * The letter with its headers and its value, sealed: announcements and commands hold no payloads
 * that others could read. Throws `dead-letter-unknown`.
 */
export async function showLetter(
  db: Kysely<KitTables>,
  { service, clock, random }: DeliveryTools,
  { id, sealFor }: ShowRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const row = await db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .where('letter_id', '=', id)
    .executeTakeFirst()
  if (row === undefined) {
    checkKnown({ id })
    return {}
  }
  const { record } = recordOf(row)
  const announcer = { service: service.name, group: service.group, clock, random }
  const whole = {
    ...deadLetterOf(row, announcer),
    recordKey: row.record_key === null ? null : readable(row.record_key),
    timestamp: timeOf(row.timestamp_ms),
    headers: record.headers.map(({ name, value }) => ({ name, value: readable(value) })),
    value: row.record_value === null ? null : readable(row.record_value),
    original: row.original_value === null ? null : readable(row.original_value),
    payload: payloadOf(service.catalogue.format, row.record_value),
  }
  const sealed = seal(JSON.stringify(whole), sealFor)
  return sealed === null ? { unreadable: 'the key of whoever asks is none' } : { sealed }
}

/** Text where it is text, else base64 behind a mark that says so. */
function readable(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return `base64:${Buffer.from(bytes).toString('base64')}`
  }
}

/** A record of another program may be of any time. */
function timeOf(timeMs: number): string | null {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : null
}

/** What can be edited; null where it cannot be read. */
function payloadOf(
  format: DeliveryTools['service']['catalogue']['format'],
  value: Uint8Array | null,
): unknown {
  if (value === null) return null
  try {
    return format.decode(value).payload
  } catch {
    return null
  }
}

// Gives a dead letter another payload, so that it can be redriven as what it should have been.
//
// E1. The event stays the same: its id, its type, its key, and the time at which it was said.
// E2. The bytes as they came are kept, and who edited them when stands in the letter, in the
//     record's header `edited`, and in the event's metadata where its format carries them.

import type { Transaction } from 'kysely'
import type { EventRoute } from '../catalogue/catalogue.ts'
import { headerNames } from '../catalogue/event-headers.ts'
import { keyOf, readBody, readRecord } from '../catalogue/read-record.ts'
import type { DecodedValue } from '../catalogue/wire-format.ts'
import { messageOf } from '../errors.ts'
import { editedBytesMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { IncomingRecord } from '../transport/transport.ts'
import { checkKnown } from './dead-letters.ts'
import { type Letter, lockKeys, updateLetter } from './letters.ts'
import { columnsOf, recordOf } from './stored-record.ts'

export interface LetterEdit {
  readonly id: string
  readonly payload: unknown
  readonly by: string
}

export type EditOutcome =
  | { readonly kind: 'edited'; readonly letter: Letter }
  | { readonly kind: 'refused'; readonly reason: string }

export async function editLetter(
  db: Transaction<KitTables>,
  tools: DeliveryTools,
  edit: LetterEdit,
): Promise<EditOutcome> {
  const letter = await db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .where('letter_id', '=', edit.id)
    .executeTakeFirst()
  if (letter === undefined) {
    checkKnown({ id: edit.id })
    return refused(`no dead letter has the id "${edit.id}"`)
  }
  await lockKeys(db, [letter], tools.store.dialect)
  const written = await editedRecord(tools, letter, edit)
  if (written.kind === 'refused') return written
  const { record_value, record_headers } = columnsOf(written.record, recordOf(letter).origin)
  const updated = await updateLetter(db, letter.id, {
    record_value,
    record_headers,
    original_value: letter.original_value ?? letter.record_value,
    edited_by: edit.by,
    edited_at_ms: tools.clock.nowMs(),
  })
  if (updated === null) return refused(`the dead letter "${edit.id}" is gone`)
  return { kind: 'edited', letter: updated }
}

type Written =
  | { readonly kind: 'written'; readonly record: IncomingRecord }
  | { readonly kind: 'refused'; readonly reason: string }

async function editedRecord(
  { service, clock }: DeliveryTools,
  letter: Letter,
  { payload, by }: LetterEdit,
): Promise<Written> {
  const { catalogue } = service
  const { record, origin } = recordOf(letter)
  const route = [...catalogue.routes.values()].find(
    ({ topic, eventName }) =>
      topic === letter.topic && (letter.event_type === null || eventName === letter.event_type),
  )
  if (route === undefined)
    return refused(`the catalogue knows no event for it on "${letter.topic}"`)
  let decoded: DecodedValue
  try {
    decoded = catalogue.format.decode(record.value ?? new Uint8Array())
  } catch (error) {
    return refused(`it cannot be read as ${catalogue.format.name}: ${messageOf(error)}`)
  }
  const body = await readBody(route, { fields: decoded.fields, payload })
  if (body.kind === 'invalid') return refused(`the payload does not fit: ${body.issues.join('; ')}`)
  const key = keyOf(route, body.value)
  if (letter.held_key !== null && key !== null && key !== letter.held_key) {
    return refused(`the edit would change its key from "${letter.held_key}" to "${key}"`)
  }
  const at = new Date(clock.nowMs()).toISOString()
  const value = catalogue.format.encode({
    envelope: envelopeOf(letter, route, decoded, { at, by }),
    fields: decoded.fields,
    payload,
  })
  if (value.length > editedBytesMax) {
    return refused(`it would be ${value.length} bytes long, and the limit is ${editedBytesMax}`)
  }
  const edited = { ...record, value, headers: headersOf(record, route, { at, by }) }
  const read = await readRecord(catalogue, edited, origin)
  if (read.kind === 'misfit') return refused(`it still cannot be read: ${read.reason}`)
  return { kind: 'written', record: edited }
}

interface Editing {
  readonly at: string
  readonly by: string
}

/** E1. A payload is edited as the present version of its event. */
function envelopeOf(
  letter: Letter,
  { eventName, definition }: EventRoute,
  { envelope }: DecodedValue,
  edited: Editing,
) {
  return {
    eventId: envelope.eventId ?? letter.event_id,
    eventType: eventName,
    timestamp: envelope.timestamp ?? new Date(letter.timestamp_ms).toISOString(),
    version: definition.version,
    source: envelope.source ?? null,
    correlationId: envelope.correlationId ?? letter.correlation_id,
    causationId: envelope.causationId ?? null,
    metadata: { ...envelope.metadata, edited },
  }
}

function headersOf({ headers }: IncomingRecord, { definition }: EventRoute, { at, by }: Editing) {
  const written = { edited: `${at} ${by}`, [headerNames.version]: definition.version }
  return [
    ...headers.filter(({ name }) => !Object.hasOwn(written, name)),
    ...Object.entries(written).map(([name, text]) => {
      return { name, value: new TextEncoder().encode(text) }
    }),
  ]
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason }
}

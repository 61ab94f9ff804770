import type { Insertable } from 'kysely'
import { writeHeaders } from '../catalogue/event-headers.ts'
import type { Clock, Random } from '../clock.ts'
import { newEventId } from '../event-id.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
import type { OutgoingRecord } from '../transport/transport.ts'
import {
  type Command,
  type CommandAnswer,
  commandAnswered,
  commandAsked,
  controlCatalogue,
} from './command.ts'
import { commandsTopic } from './control-topics.ts'

/** Who says it, and when. */
export interface ControlSource {
  readonly source: string
  readonly clock: Clock
  readonly random: Random
}

/** A command as a record, and the id under which it will be answered. */
export function commandRecord(
  command: Command,
  from: ControlSource,
): { readonly id: string; readonly record: OutgoingRecord } {
  const { envelope, value } = encode(commandAsked, command, { from, causationId: null })
  const { eventId: id, eventType: type, version } = envelope
  const record = {
    key: new TextEncoder().encode(command.service),
    value,
    headers: writeHeaders({ id, type, source: from.source, version }),
    timestampMs: from.clock.nowMs(),
  }
  return { id, record }
}

/** An answer as a row of the outbox, to be said in the transaction that carried it out. */
export function answerRow(answer: CommandAnswer, from: ControlSource): Insertable<OutboxRow> {
  const causationId = answer.commandId
  const { envelope, value } = encode(commandAnswered, answer, { from, causationId })
  const { eventId: id, eventType: type, version } = envelope
  return {
    event_id: id,
    event_type: type,
    topic: commandsTopic,
    stream: commandsTopic,
    key: answer.service,
    hash: keyHash(answer.service),
    value,
    headers: JSON.stringify({ id, type, source: from.source, version, causationId }),
    timestamp_ms: from.clock.nowMs(),
  }
}

interface EncodeOptions {
  readonly from: ControlSource
  readonly causationId: string | null
}

function encode(
  eventType: string,
  payload: Command | CommandAnswer,
  { from: { source, clock, random }, causationId }: EncodeOptions,
) {
  const nowMs = clock.nowMs()
  const envelope = {
    eventId: newEventId(nowMs, random),
    eventType,
    timestamp: new Date(nowMs).toISOString(),
    version: '1.0',
    source,
    correlationId: null,
    causationId,
    metadata: {},
  }
  return { envelope, value: controlCatalogue.format.encode({ envelope, fields: {}, payload }) }
}

import type { Insertable, Selectable } from 'kysely'
import { isObject } from '../catalogue/json-value.ts'
import type { Clock, Random } from '../clock.ts'
import { deadLettersTopic } from '../control/control-topics.ts'
import { newEventId } from '../event-id.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { DeadLetterRow, DeadLetterState } from '../store/tables/dead-letters.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
import { failedAlike } from './reason-signature.ts'

/** A dead letter as the topic `millrace.dead-letters` tells of it: where and why, never what. */
export interface DeadLetter {
  readonly id: string
  readonly service: string
  readonly group: string
  readonly state: DeadLetterState
  readonly reason: string
  readonly attempts: number
  /** When it is tried again by itself, RFC 3339; null where somebody must redrive it. */
  readonly dueAt: string | null
  readonly parkedAt: string
  readonly eventId: string
  readonly eventType: string | null
  readonly correlationId: string | null
  readonly stream: string
  /** The key that it holds back or is held back by; null where it is alone. */
  readonly key: string | null
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** How often somebody redrove it, and the last times of these that it then failed alike. */
  readonly redrives: number
  readonly alike: number
  /** Who changed its payload last, and when; null where it is as it came. */
  readonly editedBy: string | null
  readonly editedAt: string | null
}

/** Who tells. */
export interface Announcer {
  readonly service: string
  readonly group: string
  readonly clock: Clock
  readonly random: Random
}

export type LetterRow = Omit<Selectable<DeadLetterRow>, 'id'>

/** A letter without the bytes of its record. */
type ListedLetter = Omit<
  LetterRow,
  | 'slot'
  | 'cluster_id'
  | 'topic_id'
  | 'record_key'
  | 'record_value'
  | 'record_headers'
  | 'timestamp_ms'
  | 'redriven_by_job'
  | 'original_value'
>

export function deadLetterOf(row: ListedLetter, { service, group }: Announcer): DeadLetter {
  return {
    id: row.letter_id,
    service,
    group,
    state: row.state,
    reason: row.reason,
    attempts: row.attempts,
    dueAt: row.due_at_ms === null ? null : new Date(row.due_at_ms).toISOString(),
    parkedAt: new Date(row.parked_at_ms).toISOString(),
    eventId: row.event_id,
    eventType: row.event_type,
    correlationId: row.correlation_id,
    stream: row.stream,
    key: row.held_key,
    topic: row.topic,
    partition: row.partition,
    offset: row.record_offset,
    redrives: row.redrives,
    alike: failedAlike(row),
    editedBy: row.edited_by,
    editedAt: row.edited_at_ms === null ? null : new Date(row.edited_at_ms).toISOString(),
  }
}

/** The outbox row that tells of a letter as it is now. */
export function announcementOf(row: LetterRow, announcer: Announcer): Insertable<OutboxRow> {
  const value = JSON.stringify(deadLetterOf(row, announcer))
  return outboxRow(row.letter_id, new TextEncoder().encode(value), announcer)
}

/** The outbox row that tells that a letter is gone. */
export function tombstoneOf(letterId: string, announcer: Announcer): Insertable<OutboxRow> {
  return outboxRow(letterId, null, announcer)
}

function outboxRow(
  letterId: string,
  value: Uint8Array | null,
  { service, clock, random }: Announcer,
): Insertable<OutboxRow> {
  const eventId = newEventId(clock.nowMs(), random)
  return {
    event_id: eventId,
    event_type: deadLettersTopic,
    topic: deadLettersTopic,
    stream: deadLettersTopic,
    key: letterId,
    hash: keyHash(letterId),
    value,
    headers: JSON.stringify({ id: eventId, type: deadLettersTopic, source: service }),
    timestamp_ms: clock.nowMs(),
  }
}

/** Reads an announcement of any version of the kit; null where it is none. */
export function readAnnouncement(value: Uint8Array): DeadLetter | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(value))
  } catch {
    return null
  }
  if (!isObject(parsed)) return null
  const { id, service, group, state, reason, eventId, stream, topic, parkedAt } = parsed
  if (!areTexts(id, service, group, state, reason, eventId, stream, topic, parkedAt)) return null
  return {
    id: text(id),
    service: text(service),
    group: text(group),
    state: stateOf(state),
    reason: text(reason),
    attempts: count(parsed['attempts']),
    dueAt: textOrNull(parsed['dueAt']),
    parkedAt: text(parkedAt),
    eventId: text(eventId),
    eventType: textOrNull(parsed['eventType']),
    correlationId: textOrNull(parsed['correlationId']),
    stream: text(stream),
    key: textOrNull(parsed['key']),
    topic: text(topic),
    partition: count(parsed['partition']),
    offset: count(parsed['offset']),
    redrives: count(parsed['redrives']),
    alike: count(parsed['alike']),
    editedBy: textOrNull(parsed['editedBy']),
    editedAt: textOrNull(parsed['editedAt']),
  }
}

const states: readonly DeadLetterState[] = ['waiting', 'parked', 'behind', 'skipped', 'rejected']

/** A state that a later version may know is told as the one that needs attention. */
function stateOf(value: unknown): DeadLetterState {
  return states.find((state) => state === value) ?? 'parked'
}

function areTexts(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

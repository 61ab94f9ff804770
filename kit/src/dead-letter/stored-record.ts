import type { RecordOrigin } from '../catalogue/read-record.ts'
import type { DeadLetterRow } from '../store/tables/dead-letters.ts'
import type { Header, IncomingRecord } from '../transport/transport.ts'

type RecordColumns = Pick<
  DeadLetterRow,
  | 'cluster_id'
  | 'topic_id'
  | 'topic'
  | 'partition'
  | 'record_offset'
  | 'record_key'
  | 'record_value'
  | 'record_headers'
  | 'timestamp_ms'
>

/** A record as columns: key, value and headers byte for byte, and where it came from. */
export function columnsOf(record: IncomingRecord, origin: RecordOrigin): RecordColumns {
  return {
    cluster_id: origin.clusterId,
    topic_id: origin.topicId,
    topic: record.topic,
    partition: record.partition,
    record_offset: Number(record.offset),
    record_key: record.key,
    record_value: record.value,
    record_headers: JSON.stringify(
      record.headers.map(({ name, value }) => [name, Buffer.from(value).toString('base64')]),
    ),
    timestamp_ms: storable(record.timestampMs),
  }
}

/** Of another program a time may be any 64 bits; the store gives back none beyond these. */
function storable(timeMs: number): number {
  return Math.min(Math.max(timeMs, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

/** The record again, as Kafka gave it. */
export function recordOf(columns: RecordColumns): {
  readonly record: IncomingRecord
  readonly origin: RecordOrigin
} {
  return {
    origin: { clusterId: columns.cluster_id, topicId: columns.topic_id },
    record: {
      topic: columns.topic,
      partition: columns.partition,
      offset: BigInt(columns.record_offset),
      key: columns.record_key,
      value: columns.record_value,
      headers: headersOf(columns.record_headers),
      timestampMs: columns.timestamp_ms,
    },
  }
}

function headersOf(json: string): Header[] {
  const parsed: unknown = JSON.parse(json)
  if (!Array.isArray(parsed)) return []
  return parsed.flatMap((pair: unknown) => {
    if (!Array.isArray(pair)) return []
    const [name, value]: readonly unknown[] = pair
    if (typeof name !== 'string' || typeof value !== 'string') return []
    return [{ name, value: Buffer.from(value, 'base64') }]
  })
}

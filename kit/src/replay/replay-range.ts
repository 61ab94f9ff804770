// From which record to which a replay reads, in each partition.

import { isRfc3339 } from '../catalogue/read-record.ts'
import { MillraceError } from '../errors.ts'
import {
  partitionKey,
  type TopicPartition,
  type TopicRequest,
  type Transport,
} from '../transport/transport.ts'
import type { ReplayPoint } from './replay.ts'

/** Of one partition: from `next` to below `end`. */
export interface ReplayRange extends TopicPartition {
  readonly topicId: string
  readonly next: bigint
  readonly end: bigint
}

/** Asks Kafka what the points mean now. Throws `replay-refused` where a point makes no sense. */
export async function rangesOf(
  transport: Transport,
  topics: readonly TopicRequest[],
  { from, to }: { readonly from: ReplayPoint; readonly to: ReplayPoint },
): Promise<readonly ReplayRange[]> {
  for (const point of [from, to]) checkPoint(point)
  checkOrder(from, to)
  const described = await transport.ensureTopics(topics)
  const places = described.flatMap(({ topic, topicId, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, topicId, partition })),
  )
  const at = (point: ReplayPoint) => offsetsAt(transport, places, point)
  const [starts, ends, firsts, lasts] = await Promise.all([
    at('start'),
    at('end'),
    at(from),
    at(to),
  ])
  return places.map((place) => {
    const key = partitionKey(place)
    const start = starts.get(key) ?? 0n
    const end = ends.get(key) ?? 0n
    const within = (offset: bigint) => (offset < start ? start : offset > end ? end : offset)
    const next = within(firsts.get(key) ?? start)
    const last = within(lasts.get(key) ?? end)
    return { ...place, next, end: last < next ? next : last }
  })
}

function checkPoint(point: ReplayPoint): void {
  if (typeof point === 'string') return
  if ('time' in point && !isRfc3339(point.time)) {
    throw refused(`"${point.time}" is not an RFC 3339 time, such as 2026-01-31T12:00:00Z`)
  }
  if ('offset' in point && !(Number.isSafeInteger(point.offset) && point.offset >= 0)) {
    throw refused(`offset ${point.offset} is no whole number from 0 on`)
  }
}

/** Of points of two kinds only Kafka knows, for each partition. */
function checkOrder(from: ReplayPoint, to: ReplayPoint): void {
  const [first, last] = [placeOf(from), placeOf(to)]
  if (first.kind === last.kind && first.at > last.at) {
    const said = `from ${JSON.stringify(from)} to ${JSON.stringify(to)}`
    throw refused(`it would end before it begins: ${said}`)
  }
}

function placeOf(point: ReplayPoint): { readonly kind: string; readonly at: number } {
  if (typeof point === 'string') return { kind: 'the', at: point === 'start' ? 0 : 1 }
  return 'offset' in point
    ? { kind: 'offset', at: point.offset }
    : { kind: 'time', at: Date.parse(point.time) }
}

async function offsetsAt(
  transport: Transport,
  places: readonly TopicPartition[],
  point: ReplayPoint,
): Promise<ReadonlyMap<string, bigint>> {
  if (typeof point === 'object' && 'offset' in point) {
    return new Map(places.map((place) => [partitionKey(place), BigInt(point.offset)]))
  }
  const at = typeof point === 'string' ? point : Date.parse(point.time)
  return transport.offsetsAt(places, at)
}

export function refused(reason: string): MillraceError {
  return new MillraceError('replay-refused', reason)
}

// Offsets by time, for ListOffsets. The time index leads near the batch; the records of that one
// batch are decoded.

import { type KafkaRecord, readBatch, recordsIn, WireError } from '@millrace/wire'
import { headersIn } from './batch-scan.ts'
import { type LogView, readableBytes } from './log-read.ts'
import type { Segment } from './segment.ts'
import type { MaxTimestamp } from './time-index.ts'

export interface TimestampedOffset {
  readonly offset: bigint
  readonly timestampMs: bigint
  readonly leaderEpoch: number
}

/** The first record at or above an offset whose timestamp is at or after a time. */
export function findByTimestamp(
  view: LogView,
  logStartOffset: bigint,
  timestampMs: bigint,
): TimestampedOffset | undefined {
  for (const segment of view.segments) {
    if ((segment.maxTimestamp?.timestampMs ?? -1n) < timestampMs) continue
    const before = segment.timeIndex.lastAtOrBefore(timestampMs)
    const from = before === undefined ? 0 : segment.offsetIndex.positionBefore(before.lastOffset)
    for (const step of headersIn(segment.file, { from, to: readableBytes(segment, view.end) })) {
      if (step.kind === 'bad') break
      const { maxTimestamp, lastOffset, byteLength } = step.header
      if (maxTimestamp < timestampMs || lastOffset < logStartOffset) continue
      const place = { segment, position: step.position, byteLength }
      const found = findRecord(
        place,
        (record) => record.timestamp >= timestampMs && record.offset >= logStartOffset,
      )
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** The first record that has the greatest timestamp. */
export function findMaxTimestamp(view: LogView): TimestampedOffset | undefined {
  let best: { readonly segment: Segment; readonly max: MaxTimestamp } | undefined
  for (const segment of view.segments) {
    const max = maxTimestampIn(segment, view)
    if (max !== undefined && max.timestampMs > (best?.max.timestampMs ?? -1n)) {
      best = { segment, max }
    }
  }
  if (best === undefined) return undefined
  const { segment, max } = best
  const from = segment.offsetIndex.positionBefore(max.lastOffset)
  for (const step of headersIn(segment.file, { from, to: segment.size })) {
    if (step.kind === 'bad' || step.header.lastOffset < max.lastOffset) continue
    const place = { segment, position: step.position, byteLength: step.header.byteLength }
    return findRecord(place, (record) => record.timestamp === max.timestampMs)
  }
  return undefined
}

/** The greatest timestamp in the readable part of a segment. */
function maxTimestampIn(segment: Segment, view: LogView): MaxTimestamp | undefined {
  const to = readableBytes(segment, view.end)
  if (to === segment.size) return segment.maxTimestamp
  let max = segment.timeIndex.lastBelow(view.end.offset)
  const from = max === undefined ? 0 : segment.offsetIndex.positionBefore(max.lastOffset)
  for (const step of headersIn(segment.file, { from, to })) {
    if (step.kind === 'bad') break
    const { maxTimestamp: timestampMs, lastOffset } = step.header
    if (timestampMs > (max?.timestampMs ?? -1n)) max = { timestampMs, lastOffset }
  }
  return max
}

function findRecord(
  place: { readonly segment: Segment; readonly position: number; readonly byteLength: number },
  isWanted: (record: KafkaRecord) => boolean,
): TimestampedOffset | undefined {
  const bytes = new Uint8Array(place.byteLength)
  place.segment.file.read(bytes, place.position)
  const outcome = readBatch(bytes)
  if (outcome.kind !== 'batch') return undefined
  const { baseOffset, maxTimestamp, partitionLeaderEpoch: leaderEpoch } = outcome.batch.header
  try {
    for (const record of recordsIn(outcome.batch)) {
      if (!isWanted(record)) continue
      return { offset: record.offset, timestampMs: record.timestamp, leaderEpoch }
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    // Records are not decoded when they are produced. Who begins at the batch misses none of it.
    return { offset: baseOffset, timestampMs: maxTimestamp, leaderEpoch }
  }
  return undefined
}

// Reading a log up to its high watermark: finds the batch that holds an offset, and gives whole
// batches from there.

import { BatchHeader, batchHeaderBytes } from '@millrace/wire'
import { headersIn } from './batch-scan.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { type Segment, segmentIndexFor } from './segment.ts'

/** Where the high watermark lies. */
export interface ReadableEnd {
  readonly offset: bigint
  /** The segment in which it lies, by its base offset, and the position in that segment's file. */
  readonly segmentBase: bigint
  readonly position: number
}

export interface LogView {
  readonly segments: readonly Segment[]
  readonly end: ReadableEnd
}

/** Where a batch lies. */
export interface BatchPlace {
  readonly segment: Segment
  readonly segmentIndex: number
  readonly position: number
  readonly byteLength: number
  /** Where the readable part of the segment ends. */
  readonly to: number
}

/** Whole batches, as stored, in a pooled buffer that is to be given back. */
export interface BatchBytes {
  readonly bytes: Uint8Array
  /** Gives the buffer back, once the socket is done with it. Calling it again does nothing. */
  readonly release: () => void
}

export const NO_BATCHES: BatchBytes = { bytes: new Uint8Array(0), release: () => {} }

/** Bytes of a segment that lie below the high watermark. */
export function readableBytes(segment: Segment, end: ReadableEnd): number {
  if (segment.baseOffset < end.segmentBase) return segment.size
  return segment.baseOffset === end.segmentBase ? end.position : 0
}

/**
 * The batch that holds an offset below the high watermark, or the next one with records where
 * compaction left none of its own; `undefined` when there is none.
 */
export function findBatch(view: LogView, offset: bigint): BatchPlace | undefined {
  if (offset >= view.end.offset) return undefined
  const first = Math.max(0, segmentIndexFor(view.segments, offset))
  for (const [index, segment] of view.segments.slice(first).entries()) {
    const found = findInSegment(segment, view.end, offset)
    if (found !== undefined) return { ...found, segment, segmentIndex: first + index }
  }
  return undefined
}

function findInSegment(segment: Segment, end: ReadableEnd, offset: bigint) {
  const to = readableBytes(segment, end)
  const from = segment.offsetIndex.positionBefore(offset)
  for (const step of headersIn(segment.file, { from, to })) {
    if (step.kind === 'bad') {
      throw new Error(`${segment.file.path}: at byte ${step.position} ${step.reason}`)
    }
    const { lastOffset, recordsCount, byteLength } = step.header
    // Some clients ask for ever for the records of a reply that has none.
    if (lastOffset >= offset && recordsCount > 0) return { position: step.position, byteLength, to }
  }
  return undefined
}

/** Whole batches from a place on, within one segment: the first always, others within the limit. */
export function readBatches(place: BatchPlace, bytesMax: number, buffers: ReadBuffers): BatchBytes {
  const { segment, position, to } = place
  const wanted = Math.min(Math.max(bytesMax, place.byteLength), to - position)
  const buffer = buffers.take(wanted)
  const read = segment.file.read(buffer.bytes, position)
  const whole = wholeBatches(buffer.bytes.subarray(0, read))
  return { bytes: buffer.bytes.subarray(0, whole), release: buffer.release }
}

/** How many of the bytes are whole batches. */
function wholeBatches(bytes: Uint8Array): number {
  let end = 0
  while (end + batchHeaderBytes <= bytes.length) {
    const next = end + new BatchHeader(bytes, end).byteLength
    if (next > bytes.length) break
    end = next
  }
  return end
}

/** Readable bytes from a place on, over all segments, counted no further than `bytesMax`. */
export function bytesFrom(view: LogView, place: BatchPlace, bytesMax: number): number {
  let bytes = place.to - place.position
  for (const segment of view.segments.slice(place.segmentIndex + 1)) {
    if (bytes >= bytesMax) break
    bytes += readableBytes(segment, view.end)
  }
  return Math.min(bytes, bytesMax)
}

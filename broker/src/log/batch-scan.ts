// Going through the batches of a segment's file, from a position on.

import {
  type BatchHeader,
  batchHeaderBytes,
  checkCrc,
  type RecordBatch,
  readBatch,
  readBatchHeader,
} from '@millrace/wire'
import type { DiskFile } from '../disk/disk.ts'
import { headerScanBytes, recoveryReadBytes } from '../limits.ts'

export type ScanStep =
  | { readonly kind: 'batch'; readonly header: BatchHeader; readonly position: number }
  | { readonly kind: 'bad'; readonly position: number; readonly reason: string }

/** A batch that was read whole, and is valid until the next step. */
export interface CheckedBatch {
  readonly kind: 'batch'
  readonly header: BatchHeader
  readonly batch: RecordBatch
  readonly position: number
}

export type CheckedStep = CheckedBatch | Extract<ScanStep, { readonly kind: 'bad' }>

export interface Stretch {
  readonly from: number
  readonly to: number
}

/**
 * The headers of the batches in a stretch of a file, without reading what is between them. A
 * header is valid until the next step. Ends after the first bad one.
 */
export function* headersIn(file: DiskFile, { from, to }: Stretch): Generator<ScanStep, void> {
  const window = Buffer.allocUnsafe(headerScanBytes)
  let windowStart = from
  let windowBytes = 0
  let position = from
  while (position < to) {
    if (position + batchHeaderBytes > windowStart + windowBytes) {
      windowStart = position
      windowBytes = file.read(window.subarray(0, Math.min(window.length, to - position)), position)
    }
    const outcome = readBatchHeader(window.subarray(0, windowBytes), position - windowStart)
    if (outcome.kind !== 'header') {
      yield { kind: 'bad', position, reason: describe(outcome.kind) }
      return
    }
    const { header } = outcome
    const end = position + header.byteLength
    if (end > to) {
      yield { kind: 'bad', position, reason: describe('torn') }
      return
    }
    yield { kind: 'batch', header, position }
    position = end
  }
}

/** The same, reading everything and checking every checksum. */
export function* checkedBatchesIn(
  file: DiskFile,
  { from, to }: Stretch,
): Generator<CheckedStep, void> {
  let window = Buffer.allocUnsafe(Math.min(recoveryReadBytes, to - from))
  let windowStart = from
  let windowBytes = 0
  let position = from
  while (position < to) {
    let outcome = readBatch(window.subarray(0, windowBytes), position - windowStart)
    if (outcome.kind === 'torn') {
      const needed = windowStart + windowBytes + outcome.missing - position
      if (position + needed > to) {
        yield { kind: 'bad', position, reason: describe('torn') }
        return
      }
      if (needed > window.length) window = Buffer.allocUnsafe(needed)
      windowStart = position
      windowBytes = file.read(window.subarray(0, Math.min(window.length, to - position)), position)
      outcome = readBatch(window.subarray(0, windowBytes))
      if (outcome.kind === 'torn') continue
    }
    const bad = outcome.kind === 'batch' ? checkCrc(outcome.batch) : outcome
    if (outcome.kind !== 'batch' || bad !== null) {
      yield { kind: 'bad', position, reason: describe(bad?.kind ?? outcome.kind) }
      return
    }
    const { batch } = outcome
    yield { kind: 'batch', header: batch.header, batch, position }
    position += batch.bytes.length
  }
}

function describe(kind: string): string {
  switch (kind) {
    case 'torn':
      return 'the batch is cut off'
    case 'bad-magic':
      return 'there is no batch of format 2'
    case 'bad-length':
      return 'the length of the batch is impossible'
    default:
      return 'the checksum of the batch is wrong'
  }
}

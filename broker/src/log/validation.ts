// What Kafka checks of a produced batch before it takes it. Only the header is looked at, and the
// checksum over the rest; records are decoded for compacted topics alone, where each needs a key.

import {
  type BadBatch,
  checkCrc,
  errors,
  type RecordBatch,
  readBatch,
  recordsIn,
  WireError,
} from '@millrace/wire'

export interface ValidationLimits {
  readonly maxMessageBytes: number
  readonly segmentBytes: number
  /** Produce before version 7 must not carry zstd (KIP-110). */
  readonly zstdAllowed: boolean
  /** No record may be from later than this, in milliseconds since the epoch. */
  readonly latestTimestampMs: number
  readonly keysRequired: boolean
}

export type ValidationOutcome = { readonly kind: 'valid'; readonly batch: RecordBatch } | Rejected

/** `errorCode` is Kafka's. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly errorCode: number
  readonly message: string
}

const zstd = 4

/** Checks that the bytes are exactly one batch that a producer may append. */
export function validateBatch(bytes: Uint8Array, limits: ValidationLimits): ValidationOutcome {
  const outcome = readBatch(bytes)
  if (outcome.kind !== 'batch') return rejectForm(outcome)
  const { batch } = outcome
  const trailing = bytes.length - batch.bytes.length
  if (trailing > 0) {
    return reject('invalidRecord', `one batch is taken at a time; ${trailing} bytes follow it`)
  }
  return (
    rejectSize(bytes.length, limits) ??
    rejectHeader(batch, limits) ??
    rejectChecksum(batch) ??
    (limits.keysRequired ? rejectKeyless(batch) : undefined) ?? { kind: 'valid', batch }
  )
}

function rejectForm(bad: BadBatch): Rejected {
  switch (bad.kind) {
    case 'bad-magic':
      return reject('invalidRecord', `the batch has format ${bad.magic}, and only 2 is taken`)
    case 'torn':
      return reject('corruptMessage', `the batch ends ${bad.missing} bytes too early`)
    case 'bad-length':
      return reject('corruptMessage', `a batch cannot have the length ${bad.batchLength}`)
    case 'bad-crc':
      return reject('corruptMessage', `the checksum is ${bad.computed}, not ${bad.stored}`)
    default:
      return bad satisfies never
  }
}

function rejectSize(size: number, limits: ValidationLimits): Rejected | undefined {
  if (size > limits.maxMessageBytes) {
    const limit = `max.message.bytes is ${limits.maxMessageBytes}`
    return reject('messageTooLarge', `the batch has ${size} bytes, and ${limit}`)
  }
  if (size > limits.segmentBytes) {
    const limit = `segment.bytes is ${limits.segmentBytes}`
    return reject('recordListTooLarge', `the batch has ${size} bytes, and ${limit}`)
  }
  return undefined
}

function rejectHeader({ header }: RecordBatch, limits: ValidationLimits): Rejected | undefined {
  const { baseOffset, recordsCount, lastOffsetDelta, compressionType } = header
  if (baseOffset !== 0n) {
    return reject('invalidRecord', `a producer's batch begins at offset 0, not ${baseOffset}`)
  }
  if (recordsCount <= 0 || lastOffsetDelta !== recordsCount - 1) {
    const said = `${recordsCount} records and the last offset delta ${lastOffsetDelta}`
    return reject('invalidRecord', `the batch says ${said}, which do not fit`)
  }
  if (compressionType > zstd) {
    return reject('invalidRecord', `no codec has the number ${compressionType}`)
  }
  if (compressionType === zstd && !limits.zstdAllowed) {
    return reject('unsupportedCompressionType', 'zstd needs Produce version 7 or later')
  }
  if (header.maxTimestamp > limits.latestTimestampMs) {
    const latest = `message.timestamp.after.max.ms allows up to ${limits.latestTimestampMs}`
    return reject('invalidTimestamp', `a record is from ${header.maxTimestamp}, and ${latest}`)
  }
  if (header.isControl) return reject('invalidRecord', 'only brokers write control batches')
  if (header.isTransactional) {
    return reject('invalidTxnState', 'the producer has no transaction open on this partition')
  }
  if (header.producerId >= 0n && (header.producerEpoch < 0 || header.baseSequence < 0)) {
    const said = `epoch ${header.producerEpoch} and sequence ${header.baseSequence}`
    return reject('invalidRecord', `an idempotent batch cannot have ${said}`)
  }
  return undefined
}

function rejectChecksum(batch: RecordBatch): Rejected | undefined {
  const bad = checkCrc(batch)
  return bad === null ? undefined : rejectForm(bad)
}

function rejectKeyless(batch: RecordBatch): Rejected | undefined {
  try {
    for (const { key, offset } of recordsIn(batch)) {
      if (key !== null) continue
      return reject('invalidRecord', `record ${offset} has no key, and a compacted topic needs one`)
    }
    return undefined
  } catch (error) {
    if (error instanceof WireError) return reject('invalidRecord', error.message)
    throw error
  }
}

/** The outcome for one of Kafka's errors, by its name in `errors`. */
export function reject(name: keyof typeof errors, message: string): Rejected {
  return { kind: 'rejected', errorCode: errors[name].code, message }
}

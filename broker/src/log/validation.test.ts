import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchOptions, encodeBatch, errors, type RecordBatch, sealBatch } from '@millrace/wire'
import { validateBatch } from './validation.ts'

const limits = {
  maxMessageBytes: 1000,
  segmentBytes: 2000,
  zstdAllowed: true,
  latestTimestampMs: 2,
  keysRequired: false,
}

/** A batch of two records, changed by `change` and sealed again. */
function batch(change: (batch: RecordBatch) => void = () => {}, options: BatchOptions = {}) {
  const value = new Uint8Array(100)
  const made = encodeBatch([{ timestamp: 1n, value }, { timestamp: 2n }], options)
  change(made)
  sealBatch(made)
  return made.bytes
}

const idempotent = { producerId: 1n, producerEpoch: 0, baseSequence: 0 }

const taken: readonly [name: string, bytes: Uint8Array][] = [
  ['a plain batch', batch()],
  ['an idempotent batch', batch(undefined, idempotent)],
  [
    'epoch and sequence 0 without a producer id',
    batch(undefined, { ...idempotent, producerId: -1n }),
  ],
  ['any leader epoch', batch(({ header }) => (header.partitionLeaderEpoch = 77))],
  ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).map((compression): [string, Uint8Array] => [
    compression,
    batch(undefined, { compression }),
  ]),
]

for (const [name, bytes] of taken) {
  test(`${name} is taken`, () => {
    assert.equal(validateBatch(bytes, limits).kind, 'valid')
  })
}

const plain = batch()

const refused: readonly [
  name: string,
  bytes: Uint8Array,
  error: keyof typeof errors,
  message: RegExp,
][] = [
  ['nothing', new Uint8Array(0), 'corruptMessage', /ends 61 bytes too early/],
  ['half a header', plain.subarray(0, 30), 'corruptMessage', /ends 31 bytes too early/],
  ['a batch without its last byte', plain.subarray(0, -1), 'corruptMessage', /1 bytes too early/],
  ['two batches', Buffer.concat([plain, plain]), 'invalidRecord', /one batch is taken at a time/],
  ['a message set of format 1', plain.with(16, 1), 'invalidRecord', /format 1, and only 2/],
  [
    'a length below that of a header',
    plain.with(10, 0).with(11, 48),
    'corruptMessage',
    /cannot have the length 48/,
  ],
  [
    'a changed byte',
    plain.with(70, (plain[70] ?? 0) ^ 1),
    'corruptMessage',
    /the checksum is \d+, not \d+/,
  ],
  ['a base offset', batch(undefined, { baseOffset: 5n }), 'invalidRecord', /offset 0, not 5/],
  [
    'no records',
    batch(({ header }) => {
      header.recordsCount = 0
      header.lastOffsetDelta = -1
    }),
    'invalidRecord',
    /0 records and the last offset delta -1/,
  ],
  [
    'a count that does not fit the last offset',
    batch(({ header }) => (header.recordsCount = 3)),
    'invalidRecord',
    /3 records and the last offset delta 1/,
  ],
  [
    'a codec that is nobody’s',
    batch(({ header }) => (header.attributes = 5)),
    'invalidRecord',
    /5/,
  ],
  ['a control batch', batch(undefined, { isControl: true }), 'invalidRecord', /only brokers/],
  [
    'a transactional batch',
    batch(undefined, { ...idempotent, isTransactional: true }),
    'invalidTxnState',
    /no transaction open/,
  ],
  [
    'a producer id without a sequence',
    batch(undefined, { ...idempotent, baseSequence: -1 }),
    'invalidRecord',
    /epoch 0 and sequence -1/,
  ],
  [
    'a producer id without an epoch',
    batch(undefined, { ...idempotent, producerEpoch: -1 }),
    'invalidRecord',
    /epoch -1 and sequence 0/,
  ],
]

for (const [name, bytes, error, message] of refused) {
  test(`${name} is refused`, () => {
    const outcome = validateBatch(bytes, limits)
    assert.ok(outcome.kind === 'rejected')
    assert.equal(outcome.errorCode, errors[error].code)
    assert.match(outcome.message, message)
  })
}

test('a batch may be as large as max.message.bytes, and not a byte larger', () => {
  const size = plain.length
  const at = (maxMessageBytes: number) => validateBatch(plain, { ...limits, maxMessageBytes })
  assert.equal(at(size).kind, 'valid')
  const outcome = at(size - 1)
  assert.ok(outcome.kind === 'rejected')
  assert.equal(outcome.errorCode, errors.messageTooLarge.code)
})

test('a batch that no segment could hold is refused', () => {
  const outcome = validateBatch(plain, { ...limits, segmentBytes: plain.length - 1 })
  assert.ok(outcome.kind === 'rejected')
  assert.equal(outcome.errorCode, errors.recordListTooLarge.code)
})

test('zstd is refused before Produce version 7, other codecs are not', () => {
  const old = { ...limits, zstdAllowed: false }
  const outcome = validateBatch(batch(undefined, { compression: 'zstd' }), old)
  assert.ok(outcome.kind === 'rejected')
  assert.equal(outcome.errorCode, errors.unsupportedCompressionType.code)
  assert.equal(validateBatch(batch(undefined, { compression: 'gzip' }), old).kind, 'valid')
})

test('a batch may hold a record as late as allowed, and not a millisecond later', () => {
  assert.equal(validateBatch(plain, limits).kind, 'valid')
  const outcome = validateBatch(plain, { ...limits, latestTimestampMs: 1 })
  assert.ok(outcome.kind === 'rejected')
  assert.equal(outcome.errorCode, errors.invalidTimestamp.code)
  assert.match(outcome.message, /from 2, and message.timestamp.after.max.ms allows up to 1/)
})

for (const compression of ['none', 'gzip'] as const) {
  test(`a compacted topic takes records with keys only, compressed by ${compression}`, () => {
    const key = new Uint8Array(0)
    const keyed = encodeBatch([{ timestamp: 1n, key }], { compression }).bytes
    const mixed = encodeBatch([{ timestamp: 1n, key }, { timestamp: 1n }], { compression }).bytes
    const compacted = { ...limits, keysRequired: true }
    assert.equal(validateBatch(keyed, compacted).kind, 'valid')
    assert.equal(validateBatch(mixed, limits).kind, 'valid')
    const outcome = validateBatch(mixed, compacted)
    assert.ok(outcome.kind === 'rejected')
    assert.equal(outcome.errorCode, errors.invalidRecord.code)
    assert.match(outcome.message, /record 1 has no key/)
  })
}

test('a compacted topic takes no records that cannot be decoded', () => {
  const garbage = batch(({ bytes }) => bytes.fill(0xff, 61))
  const outcome = validateBatch(garbage, { ...limits, keysRequired: true })
  assert.ok(outcome.kind === 'rejected')
  assert.equal(outcome.errorCode, errors.invalidRecord.code)
})

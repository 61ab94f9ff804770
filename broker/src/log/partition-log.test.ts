import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkCrc, errors, readBatch, sealBatch } from '@millrace/wire'
import {
  appendAll,
  batchOf,
  openDisk,
  openLog,
  place,
  recordsFrom,
  stored,
  valuesFrom,
} from './log-fixture.ts'
import type { StorageOutcome } from './partition-log.ts'

const zstdAllowed = true

describe('appending', () => {
  test('batches get the next offsets, written into their own bytes', async () => {
    const { log } = await openLog(openDisk())
    const first = batchOf({ values: ['a', 'b', 'c'] })
    log.append(first, { zstdAllowed })
    const second = batchOf({ values: ['d'], partitionLeaderEpoch: 9 })
    const outcome = log.append(second, { zstdAllowed })
    assert.ok(outcome.kind === 'appended')
    assert.deepEqual(outcome.placed, { baseOffset: 3n, lastOffset: 3n, logAppendTimeMs: -1n })
    assert.equal(log.logEndOffset, 4n)
    const read = readBatch(second)
    assert.ok(read.kind === 'batch')
    assert.equal(read.batch.header.baseOffset, 3n)
    assert.equal(read.batch.header.partitionLeaderEpoch, 0)
    assert.equal(checkCrc(read.batch), null)
  })

  test('a batch is written when the turn ends, durable and readable after a sync', async () => {
    const { directory, log } = await openLog(openDisk())
    place(log, { values: ['a'] })
    const told: string[] = []
    log.onStored(0n, 'written', ({ kind }) => told.push(`written: ${kind}`))
    log.onStored(0n, 'durable', ({ kind }) => told.push(`durable: ${kind}`))
    log.onHighWatermark((highWatermark) => told.push(`high watermark: ${highWatermark}`))
    assert.deepEqual(told, [])
    directory.flusher.commitTurn()
    assert.deepEqual(told, ['written: stored'])
    assert.equal(log.highWatermark, 0n)
    assert.deepEqual(await stored(log, 0n), { kind: 'stored' })
    assert.deepEqual(told, ['written: stored', 'durable: stored', 'high watermark: 1'])
    assert.deepEqual(valuesFrom(log, 0n), ['a'])
  })

  test('with flush "os" a batch is readable as soon as it is written', async () => {
    const { directory, log } = await openLog(openDisk(), {}, { flush: 'os' })
    place(log, { values: ['a'] })
    let outcome: StorageOutcome | undefined
    log.onStored(0n, 'durable', (told) => (outcome = told))
    directory.flusher.commitTurn()
    assert.deepEqual(outcome, { kind: 'stored' })
    assert.deepEqual(valuesFrom(log, 0n), ['a'])
  })

  test('a batch sent again is answered with the place of the first, and waits for it', async () => {
    const { directory, log } = await openLog(openDisk())
    const producer = { producerId: 1n, producerEpoch: 0, baseSequence: 0 }
    place(log, { values: ['other'] })
    place(log, { values: ['a', 'b'], ...producer })
    const again = log.append(batchOf({ values: ['a', 'b'], ...producer }), { zstdAllowed })
    const placed = { baseOffset: 1n, lastOffset: 2n, logAppendTimeMs: -1n }
    assert.deepEqual(again, { kind: 'duplicate', placed })
    let outcome: StorageOutcome | undefined
    log.onStored(2n, 'durable', (told) => (outcome = told))
    directory.flusher.commitTurn()
    assert.equal(outcome, undefined)
    await stored(log, 2n)
    assert.deepEqual(outcome, { kind: 'stored' })
    assert.equal(log.logEndOffset, 3n)
  })

  test('with LogAppendTime the batch bears the time of the broker, under a right checksum', async () => {
    const config = { messageTimestampType: 'LogAppendTime' } as const
    const { directory, log } = await openLog(openDisk(), config, { now: () => 5000 })
    const bytes = batchOf({ values: ['a', 'b'], timestamps: [1, 2] })
    const outcome = log.append(bytes, { zstdAllowed })
    assert.ok(outcome.kind === 'appended')
    assert.equal(outcome.placed.logAppendTimeMs, 5000n)
    directory.flusher.commitTurn()
    await stored(log, 1n)
    const read = readBatch(bytes)
    assert.ok(read.kind === 'batch')
    assert.equal(checkCrc(read.batch), null)
    const timestamps = recordsFrom(log, 0n).map(({ timestamp }) => timestamp)
    assert.deepEqual(timestamps, [5000n, 5000n])
  })

  test('a changed configuration holds from the next append on', async () => {
    const { log } = await openLog(openDisk())
    const bytes = batchOf({ values: ['a'] })
    log.configure({ ...log.config, maxMessageBytes: bytes.length - 1 })
    const outcome = log.append(bytes, { zstdAllowed })
    assert.ok(outcome.kind === 'rejected')
    assert.equal(outcome.errorCode, errors.messageTooLarge.code)
  })
})

describe('a disk that fails', () => {
  const producer = { producerId: 1n, producerEpoch: 0 }

  test('a full disk fails the whole turn, which leaves no trace', async () => {
    const disk = openDisk()
    const { directory, log, reports } = await openLog(disk)
    await appendAll(directory, log, ['before'])
    const size = log.sizeBytes
    place(log, { values: ['a'], ...producer, baseSequence: 0 })
    const first = stored(log, 1n, 'written')
    place(log, { values: ['b'], ...producer, baseSequence: 1 })
    const second = stored(log, 2n)
    disk.failNextWrite('full', 100)
    directory.flusher.commitTurn()
    for (const outcome of await Promise.all([first, second])) {
      assert.ok(outcome.kind === 'failed')
      assert.equal(outcome.errorCode, errors.kafkaStorageError.code)
    }
    assert.match(
      reports.join(),
      /^orders-0 refuses records: .*full.*; it takes them again once there is$/,
    )
    assert.equal(log.sizeBytes, size)
    assert.equal(log.logEndOffset, 1n)
    // The client sends the same again when there is space.
    place(log, { values: ['a'], ...producer, baseSequence: 0 })
    directory.flusher.commitTurn()
    await stored(log, 1n)
    assert.deepEqual(valuesFrom(log, 0n), ['before', 'a'])
  })

  test('who asks for a batch only after it was taken back hears that it failed', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk)
    const { lastOffset } = place(log, { values: ['a'] })
    disk.failNextWrite('full')
    directory.flusher.commitTurn()
    assert.equal((await stored(log, lastOffset)).kind, 'failed')
  })

  test('after a failed sync nothing is acknowledged or taken, and the rest stays readable', async () => {
    const disk = openDisk()
    const { directory, log, reports } = await openLog(disk)
    await appendAll(directory, log, ['before'])
    place(log, { values: ['a'] })
    disk.failNextSync()
    directory.flusher.commitTurn()
    const outcome = await stored(log, 1n)
    assert.ok(outcome.kind === 'failed')
    assert.equal(outcome.errorCode, errors.kafkaStorageError.code)
    assert.match(reports.join(), /orders-0 takes no more records: .*; check the disk, then start/)
    const refused = log.append(batchOf({ values: ['b'] }), { zstdAllowed })
    assert.ok(refused.kind === 'rejected')
    assert.equal(refused.errorCode, errors.kafkaStorageError.code)
    assert.equal(log.highWatermark, 1n)
    assert.deepEqual(valuesFrom(log, 0n), ['before'])
  })

  test('a write that fails for another reason than space ends the log', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk)
    place(log, { values: ['a'] })
    disk.failNextWrite('failed')
    directory.flusher.commitTurn()
    assert.equal(log.status.kind, 'failed')
  })

  test('when rolling finds no space, earlier batches of the turn are not mixed up with later ones', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk, { segmentBytes: 250 })
    const first = batchOf({ values: ['a'.repeat(100)], ...producer, baseSequence: 0 })
    log.append(first, { zstdAllowed })
    const failed = stored(log, 0n)
    disk.failNextWrite('full')
    const second = batchOf({ values: ['b'.repeat(100)], ...producer, baseSequence: 1 })
    assert.equal(log.append(second, { zstdAllowed }).kind, 'rejected')
    assert.equal((await failed).kind, 'failed')
    directory.flusher.commitTurn()
    assert.equal(log.logEndOffset, 0n)
    place(log, { values: ['a'], ...producer, baseSequence: 0 })
  })
})

describe('reading', () => {
  async function openWith(count: number, config = {}) {
    const { directory, log } = await openLog(openDisk(), config)
    for (let index = 0; index < count; index++) {
      place(log, { values: [`${index}-a`, `${index}-b`, `${index}-c`] })
    }
    directory.flusher.commitTurn()
    await stored(log, log.logEndOffset - 1n)
    return { directory, log }
  }

  function read(...parameters: Parameters<Awaited<ReturnType<typeof openWith>>['log']['read']>) {
    return async () => {
      const { log } = await openWith(10)
      const outcome = log.read(...parameters)
      return outcome.kind === 'read' ? outcome.batches.bytes.length : outcome.kind
    }
  }

  const size = batchOf({ values: ['0-a', '0-b', '0-c'] }).length

  const cases: readonly [name: string, run: () => Promise<unknown>, expected: unknown][] = [
    ['a limit of two batches gives two', read(0n, 2 * size), 2 * size],
    ['a batch that goes past the limit by a byte is left out', read(0n, 2 * size - 1), size],
    ['a first batch is given whole whatever the limit', read(0n, 1), size],
    ['or not at all, when that is asked for', read(0n, 1, { firstBatchWhole: false }), 0],
    ['the last batch is found', read(29n, 10_000), size],
    ['nothing is read at the high watermark', read(30n, 10_000), 0],
    ['an offset beyond the end is out of range', read(31n, 10_000), 'outOfRange'],
    ['a negative offset is out of range', read(-1n, 10_000), 'outOfRange'],
  ]
  for (const [name, run, expected] of cases) {
    test(name, async () => assert.equal(await run(), expected))
  }

  test('every offset is found in the batch that holds it, across segments and index entries', async () => {
    const config = { segmentBytes: 1000, indexIntervalBytes: 200 }
    const { log, directory } = await openWith(60, config)
    const check = (log: Awaited<ReturnType<typeof openWith>>['log']) => {
      for (let offset = 0n; offset < 180n; offset++) {
        const [record] = recordsFrom(log, offset)
        assert.equal(record?.offset, offset)
        const outcome = log.read(offset, 1)
        assert.ok(outcome.kind === 'read')
        const batch = readBatch(outcome.batches.bytes)
        assert.ok(batch.kind === 'batch')
        assert.equal(batch.batch.header.baseOffset, offset - (offset % 3n))
      }
    }
    check(log)
    await directory.close()
  })

  test('what is written and not durable is not read, and counts as nothing to read', async () => {
    const { directory, log } = await openWith(2)
    place(log, { values: ['not yet'] })
    directory.flusher.commitTurn()
    assert.equal(log.bytesReadable(6n, 1000), 0)
    const outcome = log.read(3n, 10_000)
    assert.ok(outcome.kind === 'read')
    assert.equal(outcome.batches.bytes.length, size)
  })

  test('readable bytes are counted over segments, and no further than asked', async () => {
    const { log } = await openWith(10, { segmentBytes: 3 * size })
    assert.equal(log.bytesReadable(0n, 1_000_000), 10 * size)
    assert.equal(log.bytesReadable(4n, 1_000_000), 9 * size)
    assert.equal(log.bytesReadable(4n, size + 1), size + 1)
    assert.equal(log.bytesReadable(30n, 1_000_000), 0)
  })

  test('a buffer given back is used again, also when it is given back twice', async () => {
    const { log } = await openWith(3)
    const first = log.read(0n, 1)
    assert.ok(first.kind === 'read')
    first.batches.release()
    first.batches.release()
    const [second, third] = [log.read(3n, 1), log.read(6n, 1)]
    assert.ok(second.kind === 'read' && third.kind === 'read')
    assert.equal(second.batches.bytes.buffer, first.batches.bytes.buffer)
    assert.notEqual(third.batches.bytes.buffer, second.batches.bytes.buffer)
  })
})

describe('rolling', () => {
  const names = async (config: object, timestamps: readonly number[]) => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk, config)
    for (const timestamp of timestamps) {
      place(log, { values: ['v'], timestamps: [timestamp] })
      directory.flusher.commitTurn()
      await stored(log, log.logEndOffset - 1n)
    }
    return (disk.list('orders-0') ?? []).filter((name) => name.endsWith('.log'))
  }
  const size = batchOf({ values: ['v'] }).length
  const segments = (...bases: number[]) => bases.map((base) => `${`${base}`.padStart(20, '0')}.log`)

  test('a segment is closed when the next batch would take it past segment.bytes', async () => {
    const four = [1, 1, 1, 1]
    assert.deepEqual(await names({ segmentBytes: 2 * size }, four), segments(0, 2))
    assert.deepEqual(await names({ segmentBytes: 2 * size - 1 }, four), segments(0, 1, 2, 3))
  })

  test('a segment is closed by a batch more than segment.ms younger than its first', async () => {
    const config = { segmentMs: 1000 }
    assert.deepEqual(await names(config, [5000, 5500, 6000, 6001, 6500]), segments(0, 3))
  })

  test('a turn that fills several segments is durable in all of them', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk, { segmentBytes: 2 * size })
    for (const value of 'abcdefg') place(log, { values: [value] })
    directory.flusher.commitTurn()
    await stored(log, 6n)
    const { log: reopened } = await openLog(disk.crash())
    assert.equal(valuesFrom(reopened, 0n).join(''), 'abcdefg')
  })
})

describe('offsets by time', () => {
  async function openTimed(compression: 'none' | 'gzip' | 'zstd', config = {}) {
    const { directory, log } = await openLog(openDisk(), config)
    const timestamps = [
      [100, 300, 200],
      [250, 260, 270],
      [400, 500, 400],
      [450, 460, 500],
    ]
    for (const of of timestamps) {
      place(log, { values: ['a', 'b', 'c'], timestamps: of, compression })
      directory.flusher.commitTurn()
    }
    await stored(log, 11n)
    return { directory, log }
  }

  const lookups: readonly [timestampMs: bigint, offset: bigint | undefined][] = [
    [0n, 0n],
    [100n, 0n],
    [101n, 1n],
    [300n, 1n],
    [301n, 6n],
    [400n, 6n],
    [401n, 7n],
    [500n, 7n],
    [501n, undefined],
  ]
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    for (const config of [{}, { indexIntervalBytes: 0 }, { segmentBytes: 150 }]) {
      const how = `${compression}, ${JSON.stringify(config)}`
      test(`the first record at or after a time is found (${how})`, async () => {
        const { log } = await openTimed(compression, config)
        for (const [timestampMs, offset] of lookups) {
          assert.equal(log.offsetForTimestamp(timestampMs)?.offset, offset, `at ${timestampMs}`)
        }
        const max = { offset: 7n, timestampMs: 500n, leaderEpoch: 0 }
        assert.deepEqual(log.offsetOfMaxTimestamp(), max)
      })
    }
  }

  test('records that are not durable yet are not found', async () => {
    const { directory, log } = await openTimed('none')
    place(log, { values: ['later'], timestamps: [900] })
    directory.flusher.commitTurn()
    assert.equal(log.offsetForTimestamp(600n), undefined)
    assert.equal(log.offsetOfMaxTimestamp()?.offset, 7n)
    await stored(log, 12n)
    assert.equal(log.offsetForTimestamp(600n)?.offset, 12n)
    assert.equal(log.offsetOfMaxTimestamp()?.offset, 12n)
  })

  test('records below the start of the log are not found', async () => {
    const { directory, log } = await openTimed('none')
    await directory.deleteRecords(log, 2n)
    assert.equal(log.offsetForTimestamp(0n)?.offset, 2n)
  })

  test('a batch whose records cannot be decoded is found as a whole', async () => {
    const { directory, log } = await openLog(openDisk())
    const bytes = batchOf({ values: ['a', 'b'], timestamps: [100, 200] })
    const read = readBatch(bytes.fill(0xff, 61))
    assert.ok(read.kind === 'batch')
    sealBatch(read.batch)
    log.append(bytes, { zstdAllowed })
    directory.flusher.commitTurn()
    await stored(log, 1n)
    const found = { offset: 0n, timestampMs: 200n, leaderEpoch: 0 }
    assert.deepEqual(log.offsetForTimestamp(150n), found)
    assert.deepEqual(log.offsetOfMaxTimestamp(), found)
  })

  test('an empty log has no record at any time', async () => {
    const { log } = await openLog(openDisk())
    assert.equal(log.offsetForTimestamp(0n), undefined)
    assert.equal(log.offsetOfMaxTimestamp(), undefined)
  })
})

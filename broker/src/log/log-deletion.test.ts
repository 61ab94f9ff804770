import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FaultyDisk, type SyncCall } from '../disk/faulty-disk.ts'
import { appendAll, numbered, openDisk, openLog, START_MS, valuesFrom } from './log-fixture.ts'

describe('deleting', () => {
  const config = { segmentBytes: 250, retentionMs: 1000 }

  test('deleting records moves the start, and removes segments that lie below it', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk, config)
    await appendAll(directory, log, numbered(10))
    assert.equal(await directory.deleteRecords(log, 5n), 5n)
    assert.equal(log.read(4n, 1000).kind, 'outOfRange')
    assert.deepEqual(valuesFrom(log, 5n), numbered(5, 5))
    const left = (disk.list('orders-0') ?? []).filter((name) => /\.(log|deleted)$/.test(name))
    assert.equal(left[0], '00000000000000000003.log')
    assert.equal(await directory.deleteRecords(log, 99n), 10n)
    const { log: reopened } = await openLog(disk.crash(), config)
    assert.equal(reopened.logStartOffset, 10n)
    assert.equal(reopened.logEndOffset, 10n)
  })

  test('retention removes segments that are too old, the growing one too, and keeps offsets', async () => {
    let nowMs = START_MS
    const disk = openDisk()
    const { directory, log } = await openLog(disk, config, { now: () => nowMs })
    await appendAll(directory, log, numbered(10))
    await directory.applyRetention()
    assert.equal(log.logStartOffset, 0n)
    nowMs += 1001
    await directory.applyRetention()
    assert.equal(log.logStartOffset, 10n)
    assert.equal(log.sizeBytes, 0)
    await appendAll(directory, log, ['next'])
    assert.deepEqual(valuesFrom(log, 10n), ['next'])
    const { log: reopened } = await openLog(disk.crash(), config)
    assert.deepEqual(valuesFrom(reopened, 10n), ['next'])
    assert.equal(reopened.logStartOffset, 10n)
  })

  test('a segment is not deleted under the sync that closing it began', async () => {
    const syncDelay = async ({ path }: SyncCall) => {
      // Far longer than the checkpoint that is written before segments are deleted.
      for (let turn = path.endsWith('.log') ? 500 : 0; turn > 0; turn--) await Promise.resolve()
    }
    let nowMs = START_MS
    const disk = new FaultyDisk({ now: () => START_MS, syncDelay })
    const { directory, log } = await openLog(disk, config, { now: () => nowMs })
    await appendAll(directory, log, numbered(3))
    nowMs += 1001
    await directory.applyRetention()
    assert.equal(log.sizeBytes, 0)
    await appendAll(directory, log, ['next'])
    assert.deepEqual(valuesFrom(log, 3n), ['next'])
  })
})

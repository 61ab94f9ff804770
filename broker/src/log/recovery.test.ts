import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FaultyDisk } from '../disk/faulty-disk.ts'
import { readWhole } from '../disk/whole-file.ts'
import {
  appendAll,
  batchOf,
  createLog,
  numbered,
  openDirectory,
  openDisk,
  openLog,
  place,
  recordsFrom,
  START_MS,
  stored,
  valuesFrom,
} from './log-fixture.ts'

const zstdAllowed = true

/** A data directory as files, so that a test can change any of them. */
type Files = Map<string, Uint8Array>

function filesOf(disk: FaultyDisk, directory = ''): Files {
  const files: Files = new Map()
  for (const name of disk.list(directory) ?? []) {
    const path = directory === '' ? name : `${directory}/${name}`
    if (disk.list(path) === undefined) {
      files.set(path, readWhole(disk, directory, name) ?? new Uint8Array(0))
    } else for (const [inner, content] of filesOf(disk, path)) files.set(inner, content)
  }
  return files
}

function diskOf(files: Files): FaultyDisk {
  const disk = openDisk()
  disk.makeDirectory('journal')
  disk.makeDirectory('orders-0')
  for (const [path, content] of files) disk.open(path).append([content])
  // A power cut that happens to lose nothing leaves a disk on which everything is durable.
  return disk.crash(() => 0.999_999)
}

const log = (base: number, suffix = '.log') => `orders-0/${`${base}`.padStart(20, '0')}${suffix}`

/** Three segments of three batches each, two records a batch; not closed. */
async function crashedFiles(checkpoint: boolean): Promise<Files> {
  const disk = openDisk()
  const size = batchOf({ values: ['0-a', '0-b'] }).length
  const { directory, log } = await openLog(disk, {
    segmentBytes: 3 * size,
    indexIntervalBytes: 100,
  })
  for (let index = 0; index < 9; index++) {
    if (index === 7 && checkpoint) await directory.checkpoint()
    place(log, { values: [`${index}-a`, `${index}-b`] })
    directory.flusher.commitTurn()
    await stored(log, log.logEndOffset - 1n)
  }
  return filesOf(disk)
}

const allValues = Array.from({ length: 9 }, (_, index) => [`${index}-a`, `${index}-b`]).flat()

describe('recovery after a crash', () => {
  test('without damage everything is there, and what follows goes on at the next offset', async () => {
    const { log, directory, reports } = await openLog(diskOf(await crashedFiles(true)))
    assert.deepEqual(valuesFrom(log, 0n), allValues)
    await appendAll(directory, log, ['next'])
    assert.deepEqual(valuesFrom(log, 18n), ['next'])
    assert.deepEqual(reports, [])
  })

  test('a last segment cut at any byte leaves a prefix, or is refused below the recovery point', async () => {
    const files = await crashedFiles(true)
    const whole = files.get(log(12)) ?? new Uint8Array(0)
    const batchBytes = whole.length / 3
    for (let size = 0; size < whole.length; size++) {
      const cut = new Map(files).set(log(12), whole.subarray(0, size))
      const batches = Math.floor(size / batchBytes)
      // The checkpoint was written when seven batches were durable, one of them in this segment.
      if (batches < 1) {
        await assert.rejects(openLog(diskOf(cut)), { code: 'damaged' }, `cut at ${size}`)
        continue
      }
      const { log: opened, directory, reports } = await openLog(diskOf(cut))
      assert.deepEqual(valuesFrom(opened, 0n), allValues.slice(0, 12 + 2 * batches))
      assert.equal(reports.length, size % batchBytes === 0 ? 0 : 1)
      await appendAll(directory, opened, ['next'])
      assert.equal(valuesFrom(opened, 0n).at(-1), 'next')
    }
  })

  test('a byte changed anywhere is cut away, or refused below the recovery point, never read', async () => {
    const files = await crashedFiles(true)
    const whole = files.get(log(12)) ?? new Uint8Array(0)
    const batchBytes = whole.length / 3
    for (let at = 0; at < whole.length; at++) {
      const damaged = new Map(files).set(log(12), whole.with(at, (whole[at] ?? 0) ^ 0x21))
      const batch = Math.floor(at / batchBytes)
      if (batch < 1) {
        await assert.rejects(openLog(diskOf(damaged)), { code: 'damaged' }, `byte ${at}`)
        continue
      }
      const { log: opened } = await openLog(diskOf(damaged))
      assert.deepEqual(valuesFrom(opened, 0n), allValues.slice(0, 12 + 2 * batch), `byte ${at}`)
    }
  })

  test('damage is told with its file, its position and what to do, and changes no batch', async () => {
    const files = await crashedFiles(true)
    const whole = files.get(log(12)) ?? new Uint8Array(0)
    const disk = diskOf(new Map(files).set(log(12), whole.with(70, 99)))
    await assert.rejects(openLog(disk), {
      name: 'LogDamagedError',
      message:
        'faulty:/orders-0/00000000000000000012.log: at byte 0, where offset 12 should be, the ' +
        'checksum of the batch is wrong; it was safely on the disk, so it is not cut away: ' +
        "restore it from a copy, or delete the partition's directory to begin it anew, empty",
    })
    assert.deepEqual(filesOf(disk).get(log(12)), whole.with(70, 99))
  })

  test('without a checkpoint every segment is looked at, and the first bad batch ends the log', async () => {
    const files = await crashedFiles(false)
    const middle = files.get(log(6)) ?? new Uint8Array(0)
    const disk = diskOf(new Map(files).set(log(6), middle.with(middle.length - 1, 1)))
    const { log: opened, reports } = await openLog(disk)
    assert.deepEqual(valuesFrom(opened, 0n), allValues.slice(0, 10))
    assert.deepEqual(
      disk.list('orders-0')?.filter((name) => name.endsWith('.log')),
      ['00000000000000000000.log', '00000000000000000006.log'],
    )
    assert.match(reports.join('\n'), /cut the \d+ bytes from there on/)
    assert.match(reports.join('\n'), /0012\.log: deleted, because the log ends before it/)
  })

  const missing: readonly [name: string, base: number, checkpoint: boolean, expected: number][] = [
    ['the first segment missing below the recovery point', 0, true, -1],
    ['a middle segment missing below the recovery point', 6, true, -1],
    ['the last segment missing at the recovery point', 12, true, -1],
    ['a middle segment missing beyond the recovery point', 6, false, 6],
    ['the last segment missing beyond the recovery point', 12, false, 12],
  ]
  for (const [name, base, checkpoint, expected] of missing) {
    test(`${name} ${expected < 0 ? 'is refused' : 'ends the log before it'}`, async () => {
      const files = await crashedFiles(checkpoint)
      files.delete(log(base))
      if (expected < 0) await assert.rejects(openLog(diskOf(files)), { code: 'damaged' })
      else {
        const { log: opened } = await openLog(diskOf(files))
        assert.deepEqual(valuesFrom(opened, 0n), allValues.slice(0, expected))
      }
    })
  }

  test('what recovery kept survives the next power cut, and what it cut does not come back', async () => {
    const files = await crashedFiles(false)
    const middle = files.get(log(6)) ?? new Uint8Array(0)
    const disk = diskOf(files.set(log(6), middle.subarray(0, -1)))
    const { log: opened, directory } = await openLog(disk)
    await appendAll(directory, opened, ['new'])
    const { log: again } = await openLog(disk.crash())
    assert.deepEqual(valuesFrom(again, 0n), [...allValues.slice(0, 10), 'new'])
  })

  test('segments that retention had given up are removed, although they came back', async () => {
    const files = await crashedFiles(true)
    const checkpoint = new TextEncoder().encode('0\n1\norders 0 7\n')
    files.set('log-start-offset-checkpoint', checkpoint)
    files.delete(log(0))
    const disk = diskOf(files.set(log(0, '.log.deleted'), new Uint8Array(5)))
    const { log: opened } = await openLog(disk)
    assert.equal(opened.logStartOffset, 7n)
    assert.deepEqual(valuesFrom(opened, 7n), allValues.slice(7))
    assert.equal(
      disk.list('orders-0')?.some((name) => name.endsWith('.deleted')),
      false,
    )
  })
})

describe('indexes on a start', () => {
  const config = { segmentBytes: 2000, indexIntervalBytes: 150 }
  const isIndex = (path: string) => path.endsWith('index')

  async function closedFiles(): Promise<Files> {
    const disk = openDisk()
    const { directory, log } = await openLog(disk, config)
    await appendAll(directory, log, numbered(100))
    await directory.close()
    return filesOf(disk)
  }

  const indexesOf = (files: Files) => [...files].filter(([path]) => isIndex(path))

  const harms: readonly [name: string, harm: (content: Uint8Array) => Uint8Array | undefined][] = [
    ['missing', () => undefined],
    ['empty', () => new Uint8Array(0)],
    ['cut in an entry', (content) => content.subarray(0, -3)],
    ['full of zeros', (content) => new Uint8Array(content.length)],
    ['ended by zeros', (content) => content.slice().fill(0, -8)],
    ['far too long', (content) => Buffer.concat([content, Buffer.alloc(120, 0x7f)])],
  ]
  for (const [name, harm] of harms) {
    test(`indexes that are ${name} are built anew, as they were`, async () => {
      const files = await closedFiles()
      for (const [path, content] of indexesOf(files)) {
        const harmed = harm(content)
        if (content.length === 0) continue
        if (harmed === undefined) files.delete(path)
        else files.set(path, harmed)
      }
      const disk = diskOf(files)
      const { log, directory, reports } = await openLog(disk, config)
      assert.match(reports.join('\n'), /its indexes do not fit it and are built anew/)
      for (let offset = 0n; offset < 100n; offset++) {
        assert.equal(recordsFrom(log, offset)[0]?.offset, offset)
      }
      await directory.close()
      assert.deepEqual(indexesOf(filesOf(disk)), indexesOf(await closedFiles()))
    })
  }

  test('after a clean shutdown they are taken as they are', async () => {
    const files = await closedFiles()
    const disk = diskOf(files)
    const { directory, reports } = await openLog(disk, config)
    await directory.close()
    assert.deepEqual(reports, [])
    assert.deepEqual(indexesOf(filesOf(disk)), indexesOf(files))
  })

  test('after a clean shutdown a log whose end is missing or broken is refused', async () => {
    const files = await closedFiles()
    const [path, content] = [...files].filter(([path]) => path.endsWith('.log')).at(-1) ?? []
    assert.ok(path !== undefined && content !== undefined)
    for (const end of [content.subarray(0, -5), content.subarray(0, 0)]) {
      await assert.rejects(openLog(diskOf(new Map(files).set(path, end)), config), {
        code: 'damaged',
      })
    }
  })
})

describe('producers on a start', () => {
  const sent = (sequence: number) =>
    batchOf({ values: [`${sequence}`], producerId: 5n, producerEpoch: 1, baseSequence: sequence })

  async function openWithProducer(disk: FaultyDisk) {
    const { directory, log } = await openLog(disk, { segmentBytes: 300 })
    for (let sequence = 0; sequence < 20; sequence++) log.append(sent(sequence), { zstdAllowed })
    directory.flusher.commitTurn()
    await stored(log, 19n)
    return { directory, log }
  }

  const kinds = (log: Awaited<ReturnType<typeof openLog>>['log'], sequences: readonly number[]) =>
    sequences.map((sequence) => log.append(sent(sequence), { zstdAllowed }).kind)

  test('the last five batches are known again after a crash', async () => {
    const disk = openDisk()
    await openWithProducer(disk)
    const { log } = await openLog(disk.crash())
    assert.deepEqual(kinds(log, [14, 15, 19, 21, 20]), [
      'rejected',
      'duplicate',
      'duplicate',
      'rejected',
      'appended',
    ])
  })

  test('and after a clean shutdown, without reading the log', async () => {
    const disk = openDisk()
    const { directory } = await openWithProducer(disk)
    await directory.close()
    const { log } = await openLog(disk.crash())
    assert.deepEqual(kinds(log, [14, 15, 19, 21, 20]), [
      'rejected',
      'duplicate',
      'duplicate',
      'rejected',
      'appended',
    ])
  })

  test('damaged snapshots are passed over', async () => {
    const disk = openDisk()
    const { directory } = await openWithProducer(disk)
    await directory.close()
    const files = filesOf(disk)
    for (const [path, content] of files) {
      if (path.endsWith('.snapshot')) files.set(path, content.with(20, 0xff))
    }
    const { log } = await openLog(diskOf(files))
    assert.deepEqual(kinds(log, [14, 15, 20]), ['rejected', 'duplicate', 'appended'])
  })

  test('a snapshot from beyond the end of the log is removed for good', async () => {
    const disk = openDisk()
    await openWithProducer(disk)
    const files = filesOf(disk)
    const ahead = 'orders-0/00000000000000000099.snapshot'
    const newest = [...files].filter(([path]) => path.endsWith('.snapshot')).at(-1)?.[1]
    const stale = diskOf(files.set(ahead, newest ?? new Uint8Array(0)))
    await stale.syncDirectory('orders-0')
    await openLog(stale)
    assert.equal(filesOf(stale.crash()).has(ahead), false)
  })
})

test('the time of recovery is the clock that is given', async () => {
  const disk = openDisk()
  const { directory, log } = await openLog(disk, { retentionMs: 1000 })
  await appendAll(directory, log, ['a'])
  const later = await openLog(disk.crash(), { retentionMs: 1000 }, { now: () => START_MS + 1001 })
  await later.directory.applyRetention()
  assert.equal(later.log.logStartOffset, 1n)
})

test('two logs of one directory are recovered apart from each other', async () => {
  const disk = openDisk()
  const { directory } = await openDirectory(disk)
  const [a, b] = [await createLog(directory, 'a'), await createLog(directory, 'b')]
  await appendAll(directory, a, ['in a'])
  await appendAll(directory, b, ['in b', 'more'])
  const left = disk.crash()
  left.open('b-0/00000000000000000000.log').append([new Uint8Array(9)])
  const again = await openDirectory(left)
  const opened = await Promise.all(
    ['a', 'b'].map((topic) => again.directory.openPartition(topic, 0, a.config)),
  )
  assert.deepEqual(
    opened.map((log) => valuesFrom(log, 0n)),
    [['in a'], ['in b', 'more']],
  )
})

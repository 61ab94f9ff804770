import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from '../disk/disk.ts'
import type { FaultyDisk } from '../disk/faulty-disk.ts'
import { openNodeDisk } from '../disk/node-disk.ts'
import { readWhole } from '../disk/whole-file.ts'
import { LOG_CONFIG_DEFAULT } from './log-config.ts'
import {
  appendAll,
  createLog,
  numbered,
  openDirectory,
  openDisk,
  openLog,
  TOPIC_ID,
  valuesFrom,
} from './log-fixture.ts'

const textOf = (disk: FaultyDisk, name: string, directory = ROOT) =>
  new TextDecoder().decode(readWhole(disk, directory, name))

const isClean = (disk: FaultyDisk) => disk.list(ROOT)?.includes('.kafka_cleanshutdown')

describe('data directory', () => {
  test('a new one takes the cluster id that is given, and keeps it', async () => {
    const disk = openDisk()
    const first = await openDirectory(disk, { clusterId: 'first' })
    assert.equal(first.directory.clusterId, 'first')
    const second = await openDirectory(disk.crash(), { clusterId: 'second' })
    assert.equal(second.directory.clusterId, 'first')
  })

  test('one of a newer format is refused', async () => {
    const disk = openDisk()
    disk.open('meta.properties').append([Buffer.from('cluster.id=c\nmillrace.format=2\n')])
    await assert.rejects(openDirectory(disk), {
      name: 'DataFormatError',
      code: 'newer',
      message: /has format 2, and this broker reads up to 1: use the newer broker/,
    })
  })

  test('one of another program is refused, and a refusal leaves no lock', async () => {
    const disk = openDisk()
    disk.open('holiday.jpg').close()
    const foreign = { code: 'foreign', message: /holds "holiday.jpg": choose an empty directory/ }
    await assert.rejects(openDirectory(disk), foreign)
    await assert.rejects(openDirectory(disk), foreign)
    const kafkas = openDisk()
    kafkas.open('meta.properties').append([Buffer.from('version=1\ncluster.id=c\nnode.id=1\n')])
    await assert.rejects(openDirectory(kafkas), { code: 'foreign', message: /was not written by/ })
  })

  test('a second opening is refused until the first is closed', async () => {
    const disk = openDisk()
    const { directory } = await openDirectory(disk)
    await assert.rejects(openDirectory(disk), { code: 'locked' })
    await directory.close()
    await (await openDirectory(disk)).directory.close()
  })

  test('a checkpoint that makes no sense is refused, naming it', async () => {
    const disk = openDisk()
    await (await openLog(disk)).directory.close()
    disk.open('recovery-point-offset-checkpoint').truncate(3)
    await assert.rejects(openDirectory(disk), {
      code: 'damaged',
      message: /recovery-point-offset-checkpoint: the file cannot be understood/,
    })
  })

  test('checkpoints have the form that Kafka gives them', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk)
    await appendAll(directory, log, ['a', 'b', 'c'])
    await directory.deleteRecords(log, 2n)
    assert.equal(textOf(disk, 'recovery-point-offset-checkpoint'), '0\n1\norders 0 3\n')
    assert.equal(textOf(disk, 'log-start-offset-checkpoint'), '0\n1\norders 0 2\n')
  })
})

test('on the disk of the operating system it keeps what it was given', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  try {
    const options = { defer: setImmediate }
    const openIt = () => openLog(openNodeDisk(root), { segmentBytes: 500 }, options)
    const first = await openIt()
    await appendAll(first.directory, first.log, numbered(20))
    await first.directory.deleteRecords(first.log, 10n)
    await first.directory.close()
    const second = await openIt()
    assert.deepEqual(valuesFrom(second.log, 10n), numbered(10, 10))
    await appendAll(second.directory, second.log, ['more'])
    await second.directory.deletePartitions('orders', [0])
    await second.directory.close()
    assert.deepEqual((await openDirectory(openNodeDisk(root))).directory.found, [])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

describe('partitions', () => {
  test('new ones are there after a power cut, with their topic id', async () => {
    const disk = openDisk()
    const { directory } = await openDirectory(disk)
    const created = { topic: 'a-b.c', topicId: TOPIC_ID, partitions: [0, 1, 2] }
    const logs = await directory.createPartitions({ ...created, config: LOG_CONFIG_DEFAULT })
    assert.deepEqual(
      logs.map(({ topic, partition }) => `${topic} ${partition}`),
      ['a-b.c 0', 'a-b.c 1', 'a-b.c 2'],
    )
    const left = disk.crash()
    assert.equal(
      textOf(left, 'partition.metadata', 'a-b.c-1'),
      `version: 0\ntopic_id: ${TOPIC_ID}\n`,
    )
    const { directory: again } = await openDirectory(left)
    const found = [0, 1, 2].map((partition) => ({ topic: 'a-b.c', partition, topicId: TOPIC_ID }))
    assert.deepEqual(again.found, found)
  })

  test('creating is refused where a directory is in the way, and creates none', async () => {
    const disk = openDisk()
    const { directory } = await openDirectory(disk)
    const log = await createLog(directory, 'orders')
    await appendAll(directory, log, ['kept'])
    const more = { topic: 'orders', topicId: TOPIC_ID, partitions: [1, 0] }
    await assert.rejects(directory.createPartitions({ ...more, config: LOG_CONFIG_DEFAULT }), {
      message: /orders-0 is in the way/,
    })
    assert.equal(disk.list('orders-1'), undefined)
    assert.deepEqual(valuesFrom(log, 0n), ['kept'])
  })

  test('a creation that finds no space leaves nothing behind', async () => {
    const disk = openDisk()
    const { directory } = await openDirectory(disk)
    disk.failNextWrite('full')
    const wanted = { topic: 'orders', topicId: TOPIC_ID, partitions: [0, 1] }
    const creating = directory.createPartitions({ ...wanted, config: LOG_CONFIG_DEFAULT })
    await assert.rejects(creating, { code: 'full' })
    assert.deepEqual(
      disk.list(ROOT)?.filter((name) => name.startsWith('orders')),
      [],
    )
  })

  test('deleted ones are gone after a power cut, and made anew they begin at 0', async () => {
    const disk = openDisk()
    const { directory } = await openDirectory(disk)
    const log = await createLog(directory, 'orders')
    await appendAll(directory, log, ['a', 'b', 'c'])
    await directory.checkpoint()
    await directory.deletePartitions('orders', [0])
    assert.equal(directory.log('orders', 0), undefined)
    const left = disk.crash()
    const { directory: again } = await openDirectory(left)
    assert.deepEqual(again.found, [])
    const anew = await createLog(again, 'orders')
    await appendAll(again, anew, ['x'])
    const { log: opened } = await openLog(left.crash())
    assert.deepEqual(valuesFrom(opened, 0n), ['x'])
  })

  test('deleting needs no space on the disk', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk)
    await appendAll(directory, log, ['a'])
    disk.failNextWrite('full')
    await directory.deletePartitions('orders', [0])
    assert.equal(disk.list('orders-0'), undefined)
  })

  test('a deletion that a power cut interrupted is finished by the next start', async () => {
    const disk = openDisk()
    await openLog(disk)
    disk.rename('orders-0', 'orders-0-delete')
    const left = disk.crash(() => 0.999_999)
    assert.deepEqual((await openDirectory(left)).directory.found, [])
    assert.equal(left.list('orders-0-delete'), undefined)
  })

  test('a directory without topic id is taken away when it is empty, refused when it is not', async () => {
    const disk = openDisk()
    await (await openLog(disk)).directory.close()
    disk.remove('orders-0/partition.metadata')
    disk.makeDirectory('unfinished-0')
    const log = 'orders-0/00000000000000000000.log'
    disk.open(log).append([new Uint8Array(1)])
    await assert.rejects(openDirectory(disk), { message: /partition.metadata is missing beside/ })
    disk.open(log).truncate(0)
    assert.deepEqual((await openDirectory(disk)).directory.found, [])
    assert.equal(disk.list('unfinished-0'), undefined)
  })

  test('one whose directory is gone is refused by its name', async () => {
    const { directory } = await openDirectory(openDisk())
    await assert.rejects(directory.openPartition('orders', 4, LOG_CONFIG_DEFAULT), {
      name: 'LogDamagedError',
      message: /orders-4: the directory of the partition is missing/,
    })
  })
})

describe('the mark of a clean shutdown', () => {
  test('it is set by closing, and gone for good once the directory is open', async () => {
    const disk = openDisk()
    await (await openLog(disk)).directory.close()
    const left = disk.crash()
    assert.equal(isClean(left), true)
    await openLog(left)
    assert.equal(isClean(left.crash()), false)
  })

  test('it is not set while a partition was not opened, or had failed', async () => {
    const disk = openDisk()
    await (await openLog(disk)).directory.close()
    await (await openDirectory(disk)).directory.close()
    assert.equal(isClean(disk), false)
    const { directory, log } = await openLog(disk)
    disk.failNextSync()
    await assert.rejects(appendAll(directory, log, ['a']))
    await directory.close()
    assert.equal(isClean(disk), false)
  })

  test('it is not set when the last sync fails', async () => {
    const disk = openDisk()
    const { directory } = await openLog(disk)
    disk.failNextSync()
    await directory.close()
    assert.equal(isClean(disk), false)
  })

  test('closing keeps everything that was appended, synced or not', async () => {
    const disk = openDisk()
    const { directory, log } = await openLog(disk, {}, { flush: 'os' })
    await appendAll(directory, log, ['a', 'b'])
    await directory.close()
    const { log: opened } = await openLog(disk.crash())
    assert.deepEqual(valuesFrom(opened, 0n), ['a', 'b'])
  })
})

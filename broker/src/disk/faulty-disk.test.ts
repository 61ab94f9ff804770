import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT } from './disk.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { readWhole } from './whole-file.ts'

const open = () => new FaultyDisk({ now: () => 0 })
const bytes = (text: string) => new TextEncoder().encode(text)

async function withSyncedFile(content: string) {
  const disk = open()
  const file = disk.open('a')
  file.append([bytes(content)])
  await file.sync()
  await disk.syncDirectory(ROOT)
  return { disk, file }
}

test('what was appended after the last sync is gone after a crash', async () => {
  const { disk, file } = await withSyncedFile('kept')
  file.append([bytes(', lost')])
  assert.deepEqual(readWhole(disk.crash(), ROOT, 'a'), bytes('kept'))
})

test('a file whose directory was not synced is gone with its synced content', async () => {
  const disk = open()
  const file = disk.open('a')
  file.append([bytes('lost')])
  await file.sync()
  assert.deepEqual(disk.crash().list(ROOT), [])
})

test('a file whose directory alone was synced is there and empty', async () => {
  const disk = open()
  disk.open('a').append([bytes('lost')])
  await disk.syncDirectory(ROOT)
  assert.deepEqual(readWhole(disk.crash(), ROOT, 'a'), new Uint8Array(0))
})

test('a rename, a removal and a cut that were not synced are undone', async () => {
  const { disk, file } = await withSyncedFile('content')
  file.truncate(2)
  disk.rename('a', 'b')
  const left = disk.crash()
  assert.deepEqual(left.list(ROOT), ['a'])
  left.remove('a')
  assert.deepEqual(readWhole(left.crash(), ROOT, 'a'), bytes('content'))
})

test('a sync covers what was there when it began, not what came while it ran', async () => {
  let finish = () => {}
  const syncDelay = () => new Promise<void>((resolve) => (finish = resolve))
  const disk = new FaultyDisk({ now: () => 0, syncDelay })
  const file = disk.open('a')
  const directory = disk.syncDirectory(ROOT)
  finish()
  await directory
  file.append([bytes('before')])
  const synced = file.sync()
  await Promise.resolve()
  file.append([bytes(', while')])
  finish()
  await synced
  assert.deepEqual(readWhole(disk.crash(), ROOT, 'a'), bytes('before'))
})

test('a crash may leave part of what was not synced, but always all of what was', async () => {
  const sizes = new Set<number>()
  for (let step = 0; step < 10; step++) {
    const { disk, file } = await withSyncedFile('kept')
    file.append([bytes(', and more')])
    const left =
      readWhole(
        disk.crash(() => step / 10),
        ROOT,
        'a',
      ) ?? new Uint8Array(0)
    assert.deepEqual(left.subarray(0, 4), bytes('kept'))
    sizes.add(left.length)
  }
  assert.ok(sizes.size > 3)
})

test('a crash ends the disk, its files and the syncs in flight, and frees its locks', async () => {
  const { disk, file } = await withSyncedFile('kept')
  disk.lock('.lock')
  const syncing = file.sync()
  const left = disk.crash()
  await assert.rejects(syncing, /the power failed/)
  assert.throws(() => file.append([bytes('x')]), /the power failed/)
  assert.throws(() => disk.rename('a', 'b'), /the power failed/)
  left.lock('.lock').release()
})

test('a write fails once when told to, with a part written', async () => {
  const { disk, file } = await withSyncedFile('kept')
  disk.failNextWrite('full', 3)
  assert.throws(() => file.append([bytes('12'), bytes('34')]), { code: 'full', retriable: true })
  assert.equal(file.size, 7)
  file.append([bytes('!')])
  assert.deepEqual(readWhole(disk, ROOT, 'a'), bytes('kept123!'))
})

test('a failed sync and an ignored sync make nothing durable', async () => {
  const { disk, file } = await withSyncedFile('kept')
  file.append([bytes(', lost')])
  disk.failNextSync()
  await assert.rejects(file.sync(), { code: 'failed' })
  disk.ignoreSyncs((sync) => sync.kind === 'file' && sync.path === 'a')
  await file.sync()
  assert.deepEqual(readWhole(disk.crash(), ROOT, 'a'), bytes('kept'))
})

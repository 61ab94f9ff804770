import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { millrace } from './cli-process.ts'
import { freeOffset } from './free-offset.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { addressesAt, register, startTodo, startWords } from './todo-host.ts'

/** A file system of its own, small enough to fill. Only root may mount one. */
function smallDisk(): (Disposable & { readonly path: string }) | undefined {
  const directory = temporaryDirectory()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', directory.path])
  if (mounted.status !== 0) {
    directory[Symbol.dispose]()
    return undefined
  }
  return {
    path: directory.path,
    [Symbol.dispose]() {
      execFileSync('umount', [directory.path])
      directory[Symbol.dispose]()
    },
  }
}

/** Writes until nothing more fits; returns the file that takes all the room. */
function fill(disk: string): string {
  const file = join(disk, 'fill')
  const descriptor = openSync(file, 'a')
  const block = Buffer.alloc(4096)
  try {
    for (;;) writeSync(descriptor, block)
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC', String(error))
  } finally {
    closeSync(descriptor)
  }
  return file
}

test('a full disk is said, refuses what it cannot keep, and loses nothing', {
  timeout: 120_000,
}, async (context) => {
  using disk = smallDisk()
  if (disk === undefined) {
    context.skip('only root can mount a disk that is small enough to fill')
    return
  }
  const place = { data: join(disk.path, 'data'), offset: await freeOffset() }
  const { auth, broker } = addressesAt(place.offset)
  await using host = await startTodo(place)
  assert.equal(await register(auth, 'before'), 201)
  const filling = fill(disk.path)
  assert.equal(await register(auth, 'during'), 503)
  await host.said(/auth-service: .*: the disk of .*auth-service\.sqlite is full/)
  rmSync(filling)
  assert.equal(await register(auth, 'after'), 201)
  const words = ['tail', 'user.created', '--follow', '--count', '2', '--brokers', broker]
  const names = [...(await millrace(words)).stdout.matchAll(/"username":"(\w+)"/g)]
  assert.deepEqual(
    names.map(([, name]) => name),
    ['before', 'after'],
  )
  host.process.kill('SIGINT')
  assert.equal((await host.ended).code, 0)

  fill(disk.path)
  for (const data of [place.data, join(disk.path, 'other')]) {
    const { code, stderr } = await millrace(startWords({ ...place, data }))
    assert.match(stderr, /^millrace: .*full.*\n$/)
    assert.equal(code, 1)
  }
})

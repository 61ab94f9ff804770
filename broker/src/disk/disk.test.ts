import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Disk, ROOT } from './disk.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { openMemoryDisk } from './memory-disk.ts'
import { openNodeDisk } from './node-disk.ts'
import { readWhole, replaceWhole } from './whole-file.ts'

const now = () => 1_700_000_000_000

const disks: readonly [name: string, open: () => { disk: Disk; [Symbol.dispose](): void }][] = [
  ['memory', () => ({ disk: openMemoryDisk(now), [Symbol.dispose]() {} })],
  ['faulty', () => ({ disk: new FaultyDisk({ now }), [Symbol.dispose]() {} })],
  ['node', temporaryDisk],
]

function temporaryDisk() {
  const root = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  const remove = () => rmSync(root, { recursive: true, force: true })
  return { root, disk: openNodeDisk(join(root, 'data')), [Symbol.dispose]: remove }
}

const bytes = (text: string) => new TextEncoder().encode(text)

function contentOf(disk: Disk, path: string): string {
  const file = disk.open(path)
  const content = new Uint8Array(file.size + 8)
  const read = file.read(content, 0)
  file.close()
  return new TextDecoder().decode(content.subarray(0, read))
}

for (const [name, open] of disks) {
  describe(`${name} disk`, () => {
    test('chunks are appended one after the other, and the size counts them', () => {
      using opened = open()
      const file = opened.disk.open('a')
      file.append([bytes('one '), bytes(''), bytes('two')])
      file.append([bytes('!')])
      assert.equal(file.size, 8)
      file.close()
      assert.equal(contentOf(opened.disk, 'a'), 'one two!')
      assert.equal(opened.disk.open('a').size, 8)
    })

    test('a read gives what lies at its position, and less at the end of the file', () => {
      using opened = open()
      const file = opened.disk.open('a')
      file.append([bytes('0123456789')])
      const target = new Uint8Array(4)
      assert.equal(file.read(target, 3), 4)
      assert.deepEqual(target, bytes('3456'))
      assert.equal(file.read(target, 8), 2)
      assert.equal(file.read(target, 20), 0)
    })

    test('what is appended after a cut follows what was left', () => {
      using opened = open()
      const file = opened.disk.open('a')
      file.append([bytes('keep, drop')])
      file.truncate(4)
      file.append([bytes('!')])
      assert.equal(contentOf(opened.disk, 'a'), 'keep!')
    })

    test('a large file reads back as it was written, across every chunk', () => {
      using opened = open()
      const written = new Uint8Array(3_500_000).map((_, index) => index % 251)
      const file = opened.disk.open('large')
      for (let at = 0; at < written.length; at += 777_777) {
        file.append([written.subarray(at, at + 777_777)])
      }
      const read = new Uint8Array(written.length)
      assert.equal(file.read(read, 0), written.length)
      assert.ok(Buffer.from(read).equals(written))
      file.truncate(1_048_576)
      file.append([bytes('x')])
      assert.equal(file.read(read.subarray(0, 2), 1_048_575), 2)
      assert.deepEqual(read.subarray(0, 2), new Uint8Array([1_048_575 % 251, 0x78]))
    })

    test('directories list their names in order, and a missing one is told from an empty one', () => {
      using opened = open()
      const { disk } = opened
      disk.makeDirectory('d')
      disk.makeDirectory('d')
      assert.deepEqual(disk.list('d'), [])
      assert.equal(disk.list('missing'), undefined)
      disk.open('d/b').close()
      disk.open('d/a').close()
      assert.deepEqual(disk.list('d'), ['a', 'b'])
      assert.deepEqual(disk.list(ROOT), ['d'])
    })

    test('a rename replaces the file that has the new name', () => {
      using opened = open()
      const { disk } = opened
      disk.open('old').append([bytes('old')])
      disk.open('new').append([bytes('new')])
      disk.rename('new', 'old')
      assert.deepEqual(disk.list(ROOT), ['old'])
      assert.equal(contentOf(disk, 'old'), 'new')
      assert.throws(() => disk.rename('missing', 'x'), { name: 'DiskError', code: 'failed' })
    })

    test('removing takes files and empty directories, nothing else, and missing ones are no error', () => {
      using opened = open()
      const { disk } = opened
      disk.makeDirectory('d')
      disk.open('d/a').close()
      assert.throws(() => disk.remove('d'), { name: 'DiskError', code: 'failed' })
      disk.remove('d/a')
      disk.remove('d/a')
      disk.remove('d')
      assert.deepEqual(disk.list(ROOT), [])
    })

    test('a whole file is replaced and read back, and leaves no temporary file', async () => {
      using opened = open()
      const { disk } = opened
      const place = { directory: ROOT, name: 'settings' }
      assert.equal(readWhole(disk, ROOT, 'settings'), undefined)
      await replaceWhole(disk, place, bytes('first, and long'))
      await replaceWhole(disk, place, bytes('second'))
      assert.deepEqual(readWhole(disk, ROOT, 'settings'), bytes('second'))
      assert.deepEqual(disk.list(ROOT), ['settings'])
    })

    test('a closed file fails, and closing it again does not', async () => {
      using opened = open()
      const file = opened.disk.open('a')
      file.append([bytes('0123')])
      file.close()
      file.close()
      const closed = { name: 'DiskError', code: 'failed' }
      assert.throws(() => file.append([bytes('4')]), closed)
      assert.throws(() => file.read(new Uint8Array(1), 0), closed)
      assert.throws(() => file.truncate(0), closed)
      await assert.rejects(file.sync(), closed)
      assert.equal(contentOf(opened.disk, 'a'), '0123')
    })

    test('a second lock is refused until the first is released', () => {
      using opened = open()
      const { disk } = opened
      const lock = disk.lock('.lock')
      assert.throws(() => disk.lock('.lock'), { code: 'locked', message: /this very process/ })
      lock.release()
      disk.lock('.lock').release()
      assert.deepEqual(disk.list(ROOT), [])
    })
  })
}

test('a node disk on a file is refused, saying so', () => {
  using opened = temporaryDisk()
  const file = opened.disk.location('file')
  writeFileSync(file, '')
  assert.throws(() => openNodeDisk(file), { code: 'failed', message: /is a file, not a directory/ })
})

describe('lock of a node disk', () => {
  test('the lock of a living process is refused, naming it, and taken over once it is dead', async () => {
    using opened = temporaryDisk()
    const script = `
      import { openNodeDisk } from ${JSON.stringify(import.meta.resolve('./node-disk.ts'))}
      openNodeDisk(${JSON.stringify(opened.disk.location(ROOT))}).lock('.lock')
      console.log('locked')
      setInterval(() => {}, 1000)`
    const arguments_ = ['--input-type=module', '-e', script]
    const holder = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(holder.stdout, 'data')
    assert.throws(() => opened.disk.lock('.lock'), {
      code: 'locked',
      message: new RegExp(`in use by process ${holder.pid}: stop it`),
    })
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    opened.disk.lock('.lock').release()
  })

  test('a process that was given the id of a dead holder does not keep its lock', {
    skip: process.platform === 'linux' ? false : 'only Linux tells when a process started',
  }, () => {
    using opened = temporaryDisk()
    writeFileSync(opened.disk.location('.lock'), `${process.pid} another-boot:12345\n`)
    opened.disk.lock('.lock')
    assert.match(
      readFileSync(opened.disk.location('.lock'), 'utf8'),
      new RegExp(`^${process.pid} `),
    )
  })

  test('a lock file with nothing in it holds nobody back', () => {
    using opened = temporaryDisk()
    writeFileSync(opened.disk.location('.lock'), '')
    opened.disk.lock('.lock').release()
  })
})

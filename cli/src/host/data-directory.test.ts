import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockInstance } from '@millrace/kit'
import { claimDataDirectory, dataDirectoryAt, emptyDataDirectory } from './data-directory.ts'

const nowMs = Date.UTC(2026, 0, 1)

function temporary() {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-data-'))
  return {
    directory,
    paths: dataDirectoryAt('data', directory),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

test('a new directory is marked as ours and kept out of commits', () => {
  using place = temporary()
  claimDataDirectory(place.paths, nowMs).release()
  assert.equal(readFileSync(place.paths.mark, 'utf8'), '{"format":1}\n')
  assert.equal(readFileSync(join(place.paths.root, '.gitignore'), 'utf8'), '*\n')
  claimDataDirectory(place.paths, nowMs).release()
})

test('a directory has one host at a time, and the second is told who holds it', () => {
  using place = temporary()
  const lock = claimDataDirectory(place.paths, nowMs)
  const held = new RegExp(`^data directory .*data is in use by process ${process.pid} on .*--data`)
  assert.throws(() => claimDataDirectory(place.paths, nowMs), { message: held })
  assert.throws(() => emptyDataDirectory(place.paths, nowMs), { message: held })
  lock.release()
  claimDataDirectory(place.paths, nowMs).release()
})

test('what is not ours, damaged or newer is refused and left as it is', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['notes.txt', 'mine', /has files in it and is no data directory of millrace/],
    ['millrace.json', '{"form', /millrace\.json is damaged: restore it/],
    ['millrace.json', '{}', /millrace\.json is damaged: restore it/],
    ['millrace.json', '{"format":2}', /newer millrace \(format 2, this one reads 1\): update/],
  ]
  for (const [name, text, message] of cases) {
    using place = temporary()
    mkdirSync(place.paths.root)
    const file = join(place.paths.root, name)
    writeFileSync(file, text)
    assert.throws(() => claimDataDirectory(place.paths, nowMs), { message })
    assert.equal(readFileSync(file, 'utf8'), text)
  }
})

test('a path that leads through a file is said', () => {
  using place = temporary()
  writeFileSync(join(place.directory, 'file'), '')
  for (const wanted of ['file', 'file/below']) {
    const paths = dataDirectoryAt(wanted, place.directory)
    assert.throws(() => claimDataDirectory(paths, nowMs), {
      message: /cannot be used: .* file\. Mend that/,
    })
  }
})

test('a reset removes broker and databases together and keeps the logs', () => {
  using place = temporary()
  const { paths } = place
  claimDataDirectory(paths, nowMs).release()
  assert.equal(emptyDataDirectory(paths, nowMs), false)
  for (const directory of [paths.broker, paths.services, join(paths.root, 'logs')]) {
    mkdirSync(directory)
    writeFileSync(join(directory, 'a.sqlite'), '')
  }
  assert.equal(emptyDataDirectory(paths, nowMs), true)
  assert.deepEqual([existsSync(paths.broker), existsSync(paths.services)], [false, false])
  assert.equal(existsSync(join(paths.root, 'logs', 'a.sqlite')), true)
})

test('a reset removes nothing while a service of another process uses its database', () => {
  using place = temporary()
  const { paths } = place
  claimDataDirectory(paths, nowMs).release()
  mkdirSync(paths.broker)
  mkdirSync(paths.services)
  const database = join(paths.services, 'task-service.sqlite')
  writeFileSync(database, '')
  const lock = lockInstance(database, nowMs)
  assert.throws(() => emptyDataDirectory(paths, nowMs), { code: 'store-locked' })
  assert.deepEqual([existsSync(paths.broker), existsSync(database)], [true, true])
  lock.release()
})

test('a reset touches no directory that is not ours, and misses none that is not there', () => {
  using place = temporary()
  assert.equal(emptyDataDirectory(place.paths, nowMs), false)
  mkdirSync(place.paths.broker, { recursive: true })
  assert.throws(() => emptyDataDirectory(place.paths, nowMs), { message: /no data directory/ })
  assert.equal(existsSync(place.paths.broker), true)
})

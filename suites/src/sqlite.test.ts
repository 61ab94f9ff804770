import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ManualClock, openSqlite } from '@millrace/kit'
import { idsIn, write } from './effect-rows.ts'
import { storeConformance } from './store-conformance.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-store-'))
after(() => rmSync(directory, { recursive: true }))
let files = 0

storeConformance({
  name: 'SQLite',
  writersMax: 1,
  open: (clock) =>
    openSqlite({
      file: join(directory, `${files++}.sqlite`),
      owner: 'suite',
      migrations: {},
      clock,
    }),
})

storeConformance({
  name: 'SQLite in memory',
  writersMax: 1,
  open: (clock) => openSqlite({ file: ':memory:', owner: 'suite', migrations: {}, clock }),
})

test('SQLite in memory: nothing is left of it, and two stores share nothing', async () => {
  const folder = mkdtempSync(join(directory, 'temporary-'))
  const { TMPDIR = tmpdir() } = process.env
  process.env['TMPDIR'] = folder
  try {
    const options = { file: ':memory:', owner: 'suite', migrations: {}, clock: new ManualClock() }
    await using one = await openSqlite(options)
    await using other = await openSqlite(options)
    await one.transaction('write', (db) => write(db, 'a'))
    assert.deepEqual(await idsIn(other.read), [])
  } finally {
    process.env['TMPDIR'] = TMPDIR
  }
  assert.deepEqual(readdirSync(folder), [])
})

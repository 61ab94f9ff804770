import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openSqlite } from '@millrace/kit'
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

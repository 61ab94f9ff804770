import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stateConformance } from './state-conformance.ts'

stateConformance({
  name: 'SQLite',
  async open() {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-state-'))
    return {
      start: { directory, env: {} },
      async [Symbol.asyncDispose]() {
        rmSync(directory, { recursive: true })
      },
    }
  },
})

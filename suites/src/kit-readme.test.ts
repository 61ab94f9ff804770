import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'

test("the ten lines of the kit's README do what the README says", async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../kit/README.md'), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  assert(example !== undefined)
  const lines = example.split('\n').filter((line) => line.trim() !== '')
  assert(lines.length <= 12, `it has ${lines.length} lines`)

  await using broker = await startBroker({ storage: 'memory' })
  const directory = mkdtempSync(join(tmpdir(), 'millrace-readme-'))
  const code = example.replace("'data'", JSON.stringify(directory))
  const kitchen = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    cwd: import.meta.dirname, // where the packages are found
    env: { ...process.env, KAFKA_BROKERS: broker.bootstrap },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const part of kitchen.stdout.setEncoding('utf8')) {
    said += part
    if (said.includes('one tea for Ada')) break
  }
  kitchen.kill()
  await once(kitchen, 'exit')
  rmSync(directory, { recursive: true })
})

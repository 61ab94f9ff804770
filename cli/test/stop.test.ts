import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startMillrace } from './cli-process.ts'
import { freeOffset } from './free-offset.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const slowSystem = fileURLToPath(new URL('./slow-system.ts', import.meta.url))

test('a slow stop says what it waits for, and a second Ctrl-C ends at once', {
  timeout: 60_000,
}, async () => {
  using data = temporaryDirectory()
  const offset = String(await freeOffset())
  const words = ['start', slowSystem, '--port-offset', offset, '--data', data.path]
  await using host = startMillrace(words)
  await host.said('Stop with Ctrl-C')
  host.process.kill('SIGINT')
  await host.said('waiting for stuck-service to finish what runs; Ctrl-C again ends at once')
  host.process.kill('SIGINT')
  assert.equal((await host.ended).code, 130)
})

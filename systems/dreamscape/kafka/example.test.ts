import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { KafkaService } from '@dreamscape/kafka'
import { startBroker } from '@millrace/broker'
import { catalogue } from '@millrace/dreamscape/catalogue'
import { service, silentLog } from '@millrace/kit'

const files = ['example/start-service.ts', 'example/services/kafka-service.ts']

test('the README shows the example as it is', async () => {
  const readme = await readFile(new URL('README.md', import.meta.url), 'utf8')
  const shown = [...readme.matchAll(/```typescript\n([\s\S]*?)```/g)].map(([, code]) => code)
  const written = files.map((file) => readFile(new URL(file, import.meta.url), 'utf8'))
  assert.deepEqual(shown, await Promise.all(written))
})

test('the example hears of a user whom another service announces', async () => {
  await using stack = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-example-'))
  stack.defer(() => rm(directory, { recursive: true }))
  const broker = stack.use(await startBroker({}))
  const env = { KAFKA_BROKERS: broker.bootstrap }
  const user = new KafkaService(service('dreamscape-user-service', { catalogue }), {
    directory,
    env,
    log: silentLog,
  })
  stack.defer(() => user.disconnect())
  await user.initialize()

  const script = fileURLToPath(new URL('example/start-service.ts', import.meta.url))
  const example = spawn(process.execPath, [script], {
    cwd: directory,
    env: { ...process.env, ...env, KAFKA_LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: example.stdout })
  const payload = { userId: 'u-1', email: 'ann@example.com', firstName: 'Ann', lastName: 'Lee' }
  await user.publish('user.created', { payload })
  const [said] = await once(lines, 'line')
  assert.equal(said, 'User created: {')
  example.kill()
  await once(example, 'exit')
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { millrace } from './cli-process.ts'
import { freeOffset } from './free-offset.ts'
import { refusingKafka } from './refusing-kafka.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { addressesAt, eventually, register, startTodo, startWords } from './todo-host.ts'

// What goes wrong around a host: one clear line each, and nothing lost.

const limit = { timeout: 60_000 }

/** The process ids of the children of a process: `/proc` is there on Linux only. */
function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const onLinux = { ...limit, skip: process.platform === 'linux' ? false : 'it looks into /proc' }

test(
  'a broker that dies is said and back, and what was said meanwhile arrives',
  onLinux,
  async () => {
    using data = temporaryDirectory()
    const place = { data: data.path, offset: await freeOffset() }
    const { auth, broker } = addressesAt(place.offset)
    await using host = await startTodo(place)
    const [brokerPid = 0] = childrenOf(host.process.pid ?? 0)
    process.kill(brokerPid, 'SIGKILL')
    assert.equal(await register(auth, 'meanwhile'), 201)
    await host.said('the broker ended (SIGKILL); it is started again in 0.25 s')
    await host.said('the broker runs again')
    const words = ['tail', 'user.created', '--follow', '--count', '1', '--brokers', broker]
    assert.match((await millrace(words)).stdout, /"username":"meanwhile"/)
    host.process.kill('SIGINT')
    assert.equal((await host.ended).code, 0)
  },
)

test('kill -9 of the host ends the broker; the directory is free again', onLinux, async () => {
  using data = temporaryDirectory()
  const place = { data: data.path, offset: await freeOffset() }
  await using host = await startTodo(place)
  const [brokerPid = 0] = childrenOf(host.process.pid ?? 0)
  host.process.kill('SIGKILL')
  await host.ended
  await eventually(() => !isAlive(brokerPid))
  const reset = await millrace(['reset', '--yes', '--data', data.path])
  assert.deepEqual([reset.code, reset.stderr], [0, ''])
})

test('a directory and ports in use are said, and a running host is not reset', limit, async () => {
  using data = temporaryDirectory()
  using other = temporaryDirectory()
  const offset = await freeOffset()
  await using host = await startTodo({ data: data.path, offset })
  const holder = `data directory ${data.path} is in use by process ${host.process.pid} on `
  for (const words of [
    startWords({ data: data.path, offset: offset + 1 }),
    ['reset', '--yes', '--data', data.path],
  ]) {
    const { code, stderr } = await millrace(words)
    assert.ok(stderr.startsWith(`millrace: ${holder}`), stderr)
    assert.deepEqual([code, stderr.split('\n').length], [1, 2])
  }
  const { code, stderr } = await millrace(startWords({ data: other.path, offset }))
  for (const part of [
    `port ${4000 + offset} (wanted by the start page)`,
    `port ${9092 + offset} (wanted by the embedded broker)`,
    `port ${8084 + offset} (wanted by service auth-service)`,
    `port ${1025 + offset} (wanted by development server mailbox)`,
    `--port-offset ${offset + 100}`,
  ]) {
    assert.ok(stderr.includes(part), `${part}\n${stderr}`)
  }
  assert.deepEqual([code, stderr.split('\n').length], [1, 2])
  host.process.kill('SIGINT')
  await host.ended
})

test(
  'data that is damaged or newer is refused by its own name, and not touched',
  limit,
  async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [
        'services/task-service.sqlite',
        'no database at all'.repeat(99),
        /task-service\.sqlite is damag/,
      ],
      ['broker/meta.properties', 'version=1\nmillrace.format=99\n', /broker.*newer/],
      ['millrace.json', '{"format":99}', /was written by a newer millrace \(format 99/],
    ]
    for (const [name, text, message] of cases) {
      using data = temporaryDirectory()
      const file = join(data.path, name)
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(join(data.path, 'millrace.json'), '{"format":1}\n')
      writeFileSync(file, text)
      const { code, stderr } = await millrace(
        startWords({ data: data.path, offset: await freeOffset() }),
      )
      assert.match(stderr, message)
      assert.doesNotMatch(stderr, /\n\s+at |please report/)
      assert.equal(code, 1)
      assert.equal(readFileSync(file, 'utf8'), text)
    }
  },
)

test(
  'a Kafka that does not answer is said at once; services run, and Ctrl-C ends them',
  limit,
  async () => {
    using data = temporaryDirectory()
    const place = { data: data.path, offset: await freeOffset() }
    await using host = await startTodo({ ...place, env: { KAFKA_BROKERS: '127.0.0.1:1' } })
    await host.said(/no Kafka answers at 127\.0\.0\.1:1 \(ECONNREFUSED\).*The services run/)
    assert.match(host.stdout, /Kafka +127\.0\.0\.1:1 +from KAFKA_BROKERS/)
    assert.equal(await register(addressesAt(place.offset).auth), 201)
    host.process.kill('SIGINT')
    assert.equal((await host.ended).code, 0)
  },
)

test('what is no Kafka, or refuses the password, is told apart', limit, async () => {
  await using kafka = await refusingKafka()
  await using web = await webServer()
  const sasl = { KAFKA_SASL_USERNAME: 'ann', KAFKA_SASL_PASSWORD: 'wrong-secret' }

  const stranger = await millrace(['topics'], { env: { KAFKA_BROKERS: web.address } })
  assert.match(
    stranger.stderr,
    /^millrace: what answers at 127\.0\.0\.1:\d+ is no Kafka: check .*\n$/,
  )
  const refused = await millrace(['topics'], { env: { KAFKA_BROKERS: kafka.address, ...sasl } })
  assert.match(refused.stderr, /^millrace: Kafka at .* refuses user "ann" by plain: check .*\n$/)
  assert.deepEqual([stranger.code, refused.code], [1, 1])

  using data = temporaryDirectory()
  const env = { KAFKA_BROKERS: kafka.address, ...sasl }
  await using host = await startTodo({ data: data.path, offset: await freeOffset(), env })
  await host.said(/refuses user "ann" by plain.*The services run/)
  host.process.kill('SIGINT')
  const ended = await host.ended
  assert.equal(ended.code, 0)
  for (const text of [stranger.stderr, refused.stderr, ended.stderr, ended.stdout]) {
    assert.doesNotMatch(text, /wrong-secret|\n\s+at /)
  }
})

/** Something that listens and is no Kafka. */
async function webServer(): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  return {
    address: `127.0.0.1:${typeof place === 'object' && place !== null ? place.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

test('with KAFKA_ENABLED=false no broker is started, and requests are taken', limit, async () => {
  using data = temporaryDirectory()
  const place = { data: data.path, offset: await freeOffset() }
  await using host = await startTodo({ ...place, env: { KAFKA_ENABLED: 'false' } })
  assert.match(host.stdout, /Kafka +– +KAFKA_ENABLED is false/)
  const { auth, page } = addressesAt(place.offset)
  assert.equal(await register(auth), 201)
  assert.match(await (await fetch(page)).text(), /1 event waits to be sent/)
  host.process.kill('SIGINT')
  assert.equal((await host.ended).code, 0)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { z } from 'zod'
import { currentCorrelation } from '../correlation.ts'
import { MillraceError } from '../errors.ts'
import type { ServiceHealth } from '../health/service-health.ts'
import { type Log, silentLog } from '../log.ts'
import { accepted } from './accepted.ts'
import { Problem } from './problem.ts'
import { type HttpOptions, type HttpSource, startHttp } from './start-http.ts'

const healthy: ServiceHealth = {
  kafka: { kind: 'met', clusterId: 'cluster-1', partitions: new Map(), refused: new Map() },
  group: 'task-service',
  lag: [],
  lagUnknown: null,
  storeUnknown: null,
  lagGrowth: null,
  slowest: null,
  deadLetters: new Map(),
  jobs: [],
  projections: [],
  consumer: null,
  outbox: { unsent: 0, oldestUnsentMs: null, held: [] },
}

const running: HttpSource = {
  name: 'task-service',
  port: 0,
  env: {},
  log: silentLog,
  ready: true,
  health: async () => healthy,
}

async function served(options: HttpOptions, source: Partial<HttpSource> = {}) {
  const server = await startHttp({ ...running, ...source }, options)
  const [origin = ''] = server.urls ?? []
  return {
    origin,
    async ask(path: string, init: RequestInit = {}) {
      const response = await fetch(`${origin}${path}`, init)
      const text = await response.text()
      return { response, status: response.status, text, json: () => JSON.parse(text) }
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

const json = { 'content-type': 'application/json' }

const routes: HttpOptions['routes'] = (http) => {
  http.post('/tasks', async ({ body }, reply) =>
    reply.code(201).send(await accepted(z.object({ title: z.string().min(1) }), body)),
  )
  http.get('/tasks/:taskId', async ({ params }) => params)
  http.get('/taken', async () => {
    throw new Problem({ status: 409, type: 'taken', detail: 'it is taken', members: { by: 'ada' } })
  })
  http.get('/broken', async () => {
    throw new Error('the password is secret')
  })
  http.get('/full', async () => {
    const message = 'the disk of /var/lib/todo.sqlite is full'
    throw new MillraceError('store-full', message, { retriable: true })
  })
  http.post('/correlation', async () => currentCorrelation())
}

const refusals: readonly (readonly [
  title: string,
  request: readonly [path: string, init?: RequestInit],
  want: Record<string, unknown>,
])[] = [
  [
    'malformed JSON',
    ['/tasks', { method: 'POST', headers: json, body: '{"title":' }],
    {
      status: 400,
      type: 'malformed-json',
      detail: 'the body is no JSON: check its quotes, commas and braces',
    },
  ],
  [
    'a body of another kind, as curl sends it',
    ['/tasks', { method: 'POST', body: new URLSearchParams({ title: 'a' }) }],
    { status: 415, type: 'no-json' },
  ],
  [
    'an empty body',
    ['/tasks', { method: 'POST', headers: json }],
    { status: 400, type: 'empty-body' },
  ],
  [
    'a body that is too large',
    ['/tasks', { method: 'POST', headers: json, body: JSON.stringify('a'.repeat(2 ** 20)) }],
    { status: 413, type: 'body-too-large' },
  ],
  [
    'a body that does not fit its schema',
    ['/tasks', { method: 'POST', headers: json, body: '{"title":""}' }],
    {
      status: 422,
      type: 'invalid-request',
      issues: ['title: Too small: expected string to have >=1 characters'],
    },
  ],
  [
    'an unknown path',
    ['/nothing?a=1'],
    {
      status: 404,
      type: 'unknown-path',
      detail: 'there is nothing at /nothing; GET / lists what there is',
    },
  ],
  [
    'a method that a path does not answer to',
    ['/tasks/7', { method: 'DELETE' }],
    { status: 405, detail: '/tasks/7 does not answer to DELETE; it does to GET' },
  ],
  [
    'what a route refuses',
    ['/taken'],
    { status: 409, type: 'taken', title: 'Conflict', detail: 'it is taken', by: 'ada' },
  ],
  [
    'a store in trouble, without the name of its file',
    ['/full'],
    {
      status: 503,
      type: 'store-full',
      detail: "the service's disk is full. Nothing was changed; try again",
    },
  ],
]

test('what is refused is answered as problem details', async (t) => {
  await using http = await served({ routes })
  for (const [title, request, want] of refusals) {
    await t.test(title, async () => {
      const { response, status, json } = await http.ask(...request)
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
      const details: Record<string, unknown> = json()
      assert.deepEqual(
        Object.fromEntries(Object.keys(want).map((member) => [member, details[member]])),
        want,
      )
      assert.equal(status, want['status'])
    })
  }
})

test('a 405 names the methods that are allowed', async () => {
  await using http = await served({ routes })
  const { response } = await http.ask('/tasks', { method: 'PUT' })
  assert.equal(response.headers.get('allow'), 'POST')
})

test('a fault of ours is logged and not told', async () => {
  const logged: object[] = []
  const log: Log = { ...silentLog, error: (fields) => void logged.push(fields) }
  await using http = await served({ routes }, { log })
  const { status, text, json } = await http.ask('/broken')
  assert.equal(status, 500)
  assert.equal(text.includes('secret'), false)
  const [line] = logged
  assert(line !== undefined && 'correlationId' in line && 'err' in line)
  assert.equal(json().correlationId, line.correlationId)
})

test("a request's correlation is that of its handler, also after its body was read", async () => {
  await using http = await served({ routes })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { json: answer, response } = await http.ask('/correlation', {
    method: 'POST',
    headers: { ...json, 'x-correlation-id': 'corr-1', traceparent, tracestate: 'a=1' },
    body: '{}',
  })
  assert.deepEqual(answer(), {
    correlationId: 'corr-1',
    causationId: null,
    traceparent,
    tracestate: 'a=1',
  })
  assert.equal(response.headers.get('x-correlation-id'), 'corr-1')
})

test('a correlation id that could break a log or a header is replaced', async () => {
  await using http = await served({ routes })
  const { json: answer } = await http.ask('/correlation', {
    method: 'POST',
    headers: { ...json, 'x-correlation-id': 'a b', traceparent: 'nonsense' },
    body: '{}',
  })
  assert.match(answer().correlationId, /^[0-9a-f-]{36}$/)
  assert.equal(answer().traceparent, null)
})

test('more requests a minute than allowed are refused with the time to wait', async () => {
  await using http = await served({ routes, requestsPerMinuteMax: 2 })
  await http.ask('/tasks/1')
  await http.ask('/tasks/1')
  const { status, json, response } = await http.ask('/tasks/1')
  assert.equal(status, 429)
  assert.equal(json().type, 'too-many-requests')
  assert.equal(response.headers.get('retry-after'), '60')
})

test('ready follows the service, and Kafka being away shows in /health/kafka alone', async () => {
  const away: ServiceHealth = {
    ...healthy,
    kafka: { kind: 'away', reason: 'nothing listens on localhost:9092' },
    outbox: { unsent: 3, oldestUnsentMs: 1_500, held: [] },
  }
  await using http = await served({}, { health: async () => away })
  assert.equal((await http.ask('/health')).status, 200)
  assert.equal((await http.ask('/ready')).status, 200)
  const { status, json } = await http.ask('/health/kafka')
  assert.equal(status, 503)
  assert.equal(json().status, 'down')
  assert.equal(json().reason, 'nothing listens on localhost:9092')
  assert.deepEqual(json().outbox, away.outbox)
  await using starting = await served({}, { ready: false })
  assert.equal((await starting.ask('/ready')).status, 503)
})

test('a service whose database does not answer is not ready, and says why', async () => {
  await using http = await served({}, { storeUnknown: async () => 'connection refused' })
  const { status, json } = await http.ask('/health/ready')
  assert.equal(status, 503)
  assert.equal(json().reason, 'the database does not answer: connection refused')
  assert.equal((await http.ask('/health/live')).status, 200)
})

test('the front page lists the routes with lines to paste, as JSON and as HTML', async () => {
  await using http = await served({
    routes: (app) => {
      const config = { about: 'Makes a <task>', example: { title: "it's" }, needsToken: true }
      app.post('/tasks', { config }, async () => ({}))
      const taskConfig = { about: 'A task', examplePath: '/tasks/1' }
      app.get('/tasks/:taskId', { config: taskConfig }, async () => ({}))
    },
  })
  const { endpoints } = (await http.ask('/')).json()
  assert.deepEqual(endpoints[0], {
    method: 'POST',
    path: '/tasks',
    about: 'Makes a <task>',
    curl:
      `curl -X POST ${http.origin}/tasks -H "Authorization: Bearer $TOKEN" ` +
      String.raw`-H "Content-Type: application/json" -d '{"title":"it'\''s"}'`,
  })
  assert.equal(endpoints[1].path, '/tasks/:taskId')
  assert.equal(endpoints[1].curl, `curl ${http.origin}/tasks/1`)
  const { text, response } = await http.ask('/', { headers: { accept: 'text/html' } })
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
  assert(text.includes('Makes a &lt;task&gt;'))
  assert(text.includes('<a href="/health/kafka">'))
})

test('both addresses of localhost answer on the one port', async () => {
  await using http = await served({})
  const { port } = new URL(http.origin)
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200)
  assert.equal((await fetch(`http://[::1]:${port}/health`)).status, 200)
})

for (const host of ['127.0.0.1', '::1']) {
  test(`a port that is taken on ${host} is named in one line`, async () => {
    const other = createServer().listen(0, host)
    await once(other, 'listening')
    const address = other.address()
    assert(typeof address === 'object' && address !== null)
    await assert.rejects(startHttp({ ...running, port: address.port }), (error) => {
      assert(error instanceof MillraceError)
      assert.equal(error.code, 'port-in-use')
      assert.match(error.message, new RegExp(`^port ${address.port} is taken, so task-service`))
      return true
    })
    other.close()
  })
}

test('a host that is none of this machine is named with its variable', async () => {
  await assert.rejects(startHttp({ ...running, env: { HTTP_HOST: '192.0.2.1' } }), (error) => {
    assert(error instanceof MillraceError)
    assert.match(error.message, /^task-service cannot listen on 192.0.2.1, .* check HTTP_HOST/)
    return true
  })
})

test('a stop lets a request that runs finish, and refuses new ones', async () => {
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const server = await startHttp(running, {
    routes: (http) => {
      http.get('/slow', async () => {
        await finished
        return { done: true }
      })
    },
  })
  const [origin = ''] = server.urls ?? []
  const slow = fetch(`${origin}/slow`)
  await fetch(`${origin}/health`) // the slow one, sent before, has arrived too
  const stopped = server.stop()
  await assert.rejects(fetch(`${origin}/health`))
  finish()
  assert.equal((await slow).status, 200)
  await stopped
})

test('liveness and readiness stand under both of their usual names', async () => {
  await using http = await served({}, { ready: false })
  assert.equal((await http.ask('/health/live')).status, 200)
  assert.equal((await http.ask('/health/ready')).status, 503)
})

test('metrics are served as Prometheus reads them, and only where there are any', async () => {
  const metricsPage = async () => ({ contentType: 'text/plain; version=0.0.4', text: 'one 1\n' })
  await using http = await served({}, { metricsPage })
  const { status, response } = await http.ask('/metrics')
  assert.equal(status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  await using without = await served({})
  assert.equal((await without.ask('/metrics')).status, 404)
})

import assert from 'node:assert/strict'
import { get } from 'node:http'
import { test } from 'node:test'
import type { HostOverview } from '../host/overview.ts'
import type { LiveStatus } from './live-status.ts'
import { livePart, startPage } from './page.ts'
import { servePage } from './page-server.ts'

const overview: HostOverview = {
  startPage: 'http://localhost:4000',
  kafka: { kind: 'embedded', brokers: ['localhost:9092', 'localhost:29092'] },
  systems: [
    {
      name: 'todo',
      title: 'Tasks of a team',
      services: [
        { name: 'auth-service', url: 'http://localhost:8084' },
        { name: 'task-service', url: 'http://localhost:8085' },
      ],
      servers: [
        {
          name: 'mailbox',
          title: 'What was sent',
          page: 'http://localhost:8025',
          ports: ['smtp localhost:1025'],
        },
      ],
      tryFirst: [{ text: 'Register', command: 'curl -X POST http://localhost:8084/auth/register' }],
      failOnPurpose: [
        { text: 'Take the mail server down', command: 'curl -X POST :8025/smtp/down' },
      ],
    },
  ],
  dataDirectory: '/data/.millrace',
  logFile: '/data/.millrace/logs/millrace.log',
  lines: {
    reset: 'npm run reset',
    useKafka: 'KAFKA_BROKERS=localhost:9092 npm start',
    cli: 'npx millrace',
    brokersOption: '',
  },
}

const status: LiveStatus = {
  services: new Map([
    ['auth-service', { state: 'up', detail: 'ready' }],
    ['task-service', { state: 'degraded', detail: 'Kafka is away' }],
  ]),
  deadLetters: [{ service: 'notification-service', count: 2 }],
  topics: { kind: 'listed', topics: [{ topic: 'user.created', partitions: 4, records: 7n }] },
}

test('the page says where everything is, how it is, and what to do', () => {
  const page = startPage(overview, status)
  for (const expected of [
    '<a href="http://localhost:8084">auth-service</a>',
    '<span class="state degraded">degraded</span>',
    'Kafka is away',
    '<a href="http://localhost:8025">mailbox</a>',
    'smtp localhost:1025',
    'curl -X POST http://localhost:8084/auth/register',
    'curl -X POST :8025/smtp/down',
    '<code>user.created</code>',
    '<li>notification-service: 2</li>',
    'npx millrace redrive --all',
    '/data/.millrace/logs/millrace.log',
    'npm run reset',
    'KAFKA_BROKERS=localhost:9092 npm start',
  ]) {
    assert.ok(page.includes(expected), expected)
  }
})

test('nothing that a system or Kafka says becomes markup', () => {
  const evil = `<script>alert("1")</script>'&`
  const [system] = overview.systems
  assert.ok(system)
  const page = startPage(
    { ...overview, dataDirectory: evil, systems: [{ ...system, title: evil }] },
    {
      services: new Map([['auth-service', { state: 'down', detail: evil }]]),
      deadLetters: [{ service: evil, count: 1 }],
      topics: { kind: 'listed', topics: [{ topic: evil, partitions: 1, records: 1n }] },
    },
  )
  assert.equal(page.includes(evil), false)
  assert.equal(page.includes('<script>'), false)
  assert.equal(
    page.split('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;').length,
    6,
  )
})

test('a Kafka that cannot be asked is said in place of the topics', () => {
  const reason = 'no Kafka answers at localhost:9092'
  const live = livePart(overview, { ...status, topics: { kind: 'unknown', reason } }).text
  assert.ok(live.includes(`<p class="down">${reason}</p>`))
})

test('a service that was not asked yet is not called up', () => {
  const live = livePart(overview, { ...status, services: new Map() }).text
  assert.equal(live.split('<span class="state down">down</span>').length, 3)
})

interface Got {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

function request(port: number, path: string, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, method }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }))
    })
    asked.on('error', reject)
  })
}

async function serve() {
  const server = await servePage({ port: 0, overview, status: async () => status })
  return { port: server.port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

test('the page loads nothing but what this server has, and may not be framed', async () => {
  await using server = await serve()
  const page = await request(server.port, '/')
  assert.equal(page.status, 200)
  assert.equal(
    page.headers['content-security-policy'],
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  const loaded = [...page.body.matchAll(/(?:src|<link[^>]*href)="([^"]+)"/g)].map(
    ([, path]) => path,
  )
  assert.deepEqual(loaded, ['/icon.svg', '/page.css', '/page.js'])
  for (const path of loaded) assert.equal((await request(server.port, path)).status, 200)
})

test('only the live part is sent for a refresh', async () => {
  await using server = await serve()
  const live = await request(server.port, '/live')
  assert.equal(live.body, livePart(overview, status).text)
  assert.equal(live.headers['cache-control'], 'no-store')
})

test('there are no other files behind the page, and it changes nothing', async () => {
  await using server = await serve()
  const cases: readonly (readonly [string, string, number])[] = [
    ['/page.ts', 'GET', 404],
    ['/../../package.json', 'GET', 404],
    ['/constructor', 'GET', 404],
    ['/', 'POST', 405],
    ['/?x=1', 'GET', 200],
    ['/', 'HEAD', 200],
  ]
  for (const [path, method, expected] of cases) {
    assert.equal((await request(server.port, path, method)).status, expected, `${method} ${path}`)
  }
})

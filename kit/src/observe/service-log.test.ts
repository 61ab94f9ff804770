import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { withCorrelation } from '../correlation.ts'
import { messageOf } from '../errors.ts'
import { openLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { service } from '../service.ts'
import { startService } from '../start-service.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'
import { ServiceLog, secretsOf } from './service-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'))
after(() => rmSync(directory, { recursive: true }))

const env = {
  KAFKA_SASL_PASSWORD: 'swordfish-1',
  DATABASE_URL: 'postgres://app:sword%2Ffish-2@db.example/app',
  SERVICE_TOKEN: 'swordfish-3',
}
const secrets = ['swordfish-1', 'sword%2Ffish-2', 'sword/fish-2', 'swordfish-3']
/** What stands in payloads, and must be in no line. */
const planted = 'marzipan'

function lines() {
  const written: string[] = []
  const sink = { write: (line: string) => void written.push(line) }
  return { written, log: openLog({ name: 'test', level: 'trace', sink }) }
}

/** As node-postgres throws it: the row hangs on the error. */
function databaseError(message: string, code: string): Error {
  const detail = `Key (name)=(${planted}) already exists.`
  return Object.assign(new Error(message), { code, detail, where: planted, parameters: [planted] })
}

test('the secrets of an environment are its passwords, tokens and what URLs carry', () => {
  assert.deepEqual(secretsOf({ ...env, HTTP_HOST: 'localhost', PIN_PASSWORD: '1' }), secrets)
})

test('a secret is in no line, wherever it stands', () => {
  const { written, log } = lines()
  const safe = new ServiceLog(log, secretsOf(env)).child({ bound: env })
  for (const secret of secrets) {
    const err = new Error(`refused ${secret}`, { cause: new Error(`because of ${secret}`) })
    safe.debug({ err, nested: { list: [`${secret}!`] } }, `connecting with ${secret}`)
  }
  assert.equal(written.length, secrets.length)
  for (const secret of secrets)
    assert.ok(
      written.every((line) => !line.includes(secret)),
      secret,
    )
})

test("a database's error is told without its row, and with what helps", () => {
  const { written, log } = lines()
  const duplicate = databaseError('duplicate key value violates unique constraint "k"', '23505')
  const misfit = databaseError(`invalid input syntax for type integer: "${planted}"`, '22P02')
  new ServiceLog(log).error({ err: duplicate, reason: messageOf(misfit), other: misfit }, 'failed')
  const [line = ''] = written
  assert.ok(!line.includes(planted), line)
  const { err, reason } = JSON.parse(line)
  assert.deepEqual([err.name, err.code, err.message], ['Error', '23505', duplicate.message])
  assert.match(err.stack, /service-log\.test/)
  assert.equal(reason, 'invalid input syntax for type integer')
})

const texts = [planted, `{"a":${planted}}`, `{"a":"b" ${planted}`, `{"${planted}`, `["${planted}`]
for (const text of texts) {
  test(`what JSON.parse says of ${text} does not quote it`, () => {
    assert.throws(
      () => JSON.parse(text),
      (error) => !messageOf(error).includes(planted.slice(0, 4)),
    )
  })
}

test('a line of a request or a handler carries its correlation id, and its trace id', () => {
  const { written, log } = lines()
  const safe = new ServiceLog(log)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  withCorrelation({ correlationId: 'table-7', causationId: null, traceparent }, () =>
    safe.info({}, 'within'),
  )
  safe.info({}, 'outside')
  const [within = '', outside = ''] = written
  assert.equal(JSON.parse(within).correlationId, 'table-7')
  assert.equal(JSON.parse(within).traceId, '0af7651916cd43dd8448eb211c80319c')
  assert.ok(!outside.includes('correlationId'))
})

const catalogue = defineCatalogue('tea', {
  'tea.ordered': event({ version: '1', payload: z.object({ sugar: z.string() }) }),
  'tea.served': event({ version: '1', payload: z.object({ hot: z.boolean() }) }),
})

test('no line of a whole service has a payload or a secret, whatever goes wrong', async () => {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const { written, log } = lines()
  const failures = [
    () => Promise.reject(databaseError('duplicate key', '23505')),
    () => Promise.reject(databaseError(`invalid value: "${planted}"`, '22P02')),
    async () => JSON.parse(planted),
    async () => z.object({ sugar: z.number() }).parse({ sugar: planted }),
  ]
  const kitchen = service('kitchen', { catalogue }).on(
    'tea.ordered',
    async (_event, { attempt, publish, log: own }) => {
      own.info({}, 'cooking')
      await failures[attempt - 1]?.()
      await publish('tea.served', { payload: { hot: true } })
    },
    { retry: { delayMsMax: 1 } },
  )
  const start = { env: { SERVICE_TOKEN: env.SERVICE_TOKEN, KAFKA_LOG_LEVEL: 'trace' }, directory }
  const transport = openMemory(cluster, clock)
  await using cooking = await startService(kitchen, { ...start, transport, clock, log })
  const other = openMemory(cluster, clock)
  await other.ensureTopics(catalogue.topics)
  for (const value of [planted, `{"sugar":"${planted}"}`, `{"payload":{"sugar":["${planted}"]}}`]) {
    const record = { key: null, value: Buffer.from(value), headers: [], timestampMs: 0 }
    await other.send({ topic: 'tea.ordered', partition: 0 }, [record])
  }
  await cooking.transaction(
    ({ publish }) => publish('tea.ordered', { payload: { sugar: planted } }),
    {
      correlationId: 'table-7',
    },
  )
  for (let passed = 0; passed < 20; passed += 1) await clock.advance(500)
  const all = written.join('')
  assert.match(all, /"correlationId":"table-7".*"msg":"cooking"/)
  assert.match(all, /a record is no event of the catalogue/)
  assert.equal(written.filter((line) => line.includes('a handler failed')).length, failures.length)
  for (const word of [planted, ...secrets]) assert.ok(!all.includes(word), all)
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { servicesTopic, tracesTopic } from '../control/control-topics.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { service } from '../service.ts'
import { type StartOptions, startService } from '../start-service.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'
import { serviceBeatMs, serviceLookMs } from './limits.ts'
import { livenessOf, readServiceRecord } from './service-record.ts'
import { readTraceBatch } from './trace-step.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-seen-'))
after(() => rmSync(directory, { recursive: true }))
let starts = 0

const catalogue = defineCatalogue('tea', {
  'tea.ordered': event({ version: '1', payload: z.object({ sugar: z.string() }) }),
  'tea.served': event({ version: '1', payload: z.object({}) }),
})
const waiter = service('waiter', { catalogue })
const kitchen = service('kitchen', { catalogue }).on(
  'tea.ordered',
  async ({ payload }, { effect, publish, attempt }) => {
    if (payload.sugar === 'none left' && attempt === 1) throw new Error('the sugar is out')
    await effect('brew', async () => {})
    await publish('tea.served', { payload: {} })
  },
)

function world() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const place = join(directory, String(starts++))
  const options = (env = {}): StartOptions => {
    const transport = openMemory(cluster, clock)
    return { directory: place, env, transport, clock, log: silentLog }
  }
  const values = (topic: string) =>
    cluster
      .read({ topic, partition: 0 }, 0n, 10_000)
      .flatMap(({ value }) => (value === null ? [] : [value]))
  return {
    clock,
    cluster,
    options,
    records: () => values(servicesTopic).map((value) => readServiceRecord(value)),
    steps: () =>
      values(tracesTopic).flatMap((value) => {
        const batch = readTraceBatch(value)
        return batch?.steps.map((step) => ({ ...step, by: batch.service })) ?? []
      }),
    texts: () => values(tracesTopic).map((value) => new TextDecoder().decode(value)),
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) await clock.advance(500)
    },
  }
}

test('each step of an event and of what it caused is told, in one chain', async () => {
  const { clock, options, pass, steps } = world()
  await using dining = await startService(waiter, options())
  await using cooking = await startService(kitchen, options())
  assert.equal(cooking.ready, true)
  await dining.transaction(
    ({ publish }) => publish('tea.ordered', { payload: { sugar: 'none left' } }),
    { correlationId: 'table-7' },
  )
  await pass(10_000)
  const told = steps().filter(({ type }) => type === 'tea.ordered')
  assert.deepEqual(
    told.map(({ step, by, attempt, outcome }) => [step, by, attempt, outcome].filter(Boolean)),
    [
      ['said', 'waiter'],
      ['sent', 'waiter'],
      ['heard', 'kitchen'],
      ['started', 'kitchen', 1],
      ['ended', 'kitchen', 1, 'failed'],
      ['delayed', 'kitchen'],
      ['started', 'kitchen', 2],
      ['effect', 'kitchen', 'done'],
      ['ended', 'kitchen', 2, 'handled'],
      ['settled', 'kitchen'],
    ],
  )
  assert.ok(steps().every(({ chain }) => chain === 'table-7'))
  const served = steps().find(({ step, type }) => step === 'said' && type === 'tea.served')
  assert.equal(served?.cause, told[0]?.id)
  assert.ok(clock.nowMs() > 0)
})

test('a step never has a payload', async () => {
  const { options, pass, texts } = world()
  await using dining = await startService(waiter, options())
  await using cooking = await startService(kitchen, options())
  assert.equal(cooking.ready, true)
  await dining.transaction(({ publish }) =>
    publish('tea.ordered', { payload: { sugar: 'marzipan' } }),
  )
  await pass(5_000)
  assert.ok(texts().length > 0)
  assert.ok(texts().every((text) => !text.includes('marzipan')))
})

test('with MILLRACE_TRACES=0 no step is told, and what is no number is refused', async () => {
  const { options, pass, steps } = world()
  await using dining = await startService(waiter, options({ MILLRACE_TRACES: '0' }))
  await dining.transaction(({ publish }) => publish('tea.served', { payload: {} }))
  await pass(5_000)
  assert.deepEqual(steps(), [])
  await assert.rejects(startService(kitchen, options({ MILLRACE_TRACES: 'some' })), {
    code: 'config-invalid',
    message: /MILLRACE_TRACES is "some"; it can be a number from 0/,
  })
})

test('a service tells who it is, what it says and hears, and that it has stopped', async () => {
  const { clock, options, pass, records } = world()
  const cooking = await startService(kitchen, options())
  await using dining = await startService(waiter, options())
  await dining.transaction(({ publish }) =>
    publish('tea.ordered', { payload: { sugar: 'marzipan' } }),
  )
  await pass(3 * serviceLookMs)
  const last = () => records().findLast((record) => record?.service === 'kitchen')
  const up = last()
  assert.ok(up)
  assert.deepEqual(
    [up.state, up.publishes, up.subscribes, up.partitions, up.health, up.lag],
    ['up', ['tea.served'], [{ event: 'tea.ordered', topic: 'tea.ordered' }], 4, 'up', 0],
  )
  assert.equal(livenessOf(up, clock.nowMs()), 'up')
  await cooking.stop()
  const stopped = last()
  assert.ok(stopped)
  assert.equal(livenessOf(stopped, clock.nowMs()), 'stopped')
  assert.equal(stopped.instance, up.instance)
})

test('a service that does nothing tells at its slow beat only; a silent one is known by it', async () => {
  const { clock, options, pass, records } = world()
  await using dining = await startService(waiter, options())
  assert.equal(dining.ready, true)
  await pass(2 * serviceBeatMs)
  const told = records().length
  await pass(2 * serviceBeatMs)
  assert.equal(records().length, told + 2)
  const last = records().at(-1)
  assert.ok(last)
  assert.equal(livenessOf(last, clock.nowMs() + 4 * serviceBeatMs), 'silent')
})

test('a service without Kafka tells nobody, and its stop leaves no timer', async () => {
  const { clock, options, pass } = world()
  const { transport: _none, ...rest } = options({ KAFKA_ENABLED: 'false' })
  const dining = await startService(waiter, rest)
  await dining.transaction(({ publish }) => publish('tea.served', { payload: {} }))
  await pass(2_000)
  await dining.stop()
  assert.equal(clock.timers, 0)
})

test('a stop leaves no timer, also while Kafka is away', async () => {
  const { clock, cluster, options, pass } = world()
  const dining = await startService(waiter, options())
  await pass(2_000)
  cluster.stop()
  await dining.transaction(({ publish }) => publish('tea.served', { payload: {} }))
  await pass(2_000)
  const stopped = dining.stop()
  await pass(30_000)
  await stopped
  assert.equal(clock.timers, 0)
})

test('services of one process have their own metrics, with names that Prometheus reads', async () => {
  const { options, pass } = world()
  await using dining = await startService(waiter, options())
  await using cooking = await startService(kitchen, options())
  await dining.transaction(({ publish }) =>
    publish('tea.ordered', { payload: { sugar: 'none left' } }),
  )
  await pass(5_000)
  const { text, contentType } = await cooking.metricsPage()
  assert.match(contentType, /^text\/plain/)
  for (const line of [
    'millrace_attempts_total{event="tea.ordered",outcome="failed",service="kitchen"} 1',
    'millrace_attempts_total{event="tea.ordered",outcome="handled",service="kitchen"} 1',
    'millrace_retries_total{event="tea.ordered",service="kitchen"} 1',
    'millrace_effects_total{event="tea.ordered",outcome="done",service="kitchen"} 1',
    'millrace_events_said_total{event="tea.served",service="kitchen"} 1',
    'millrace_assigned_partitions{topic="tea.ordered",service="kitchen"} 4',
    'millrace_breaker_open{event="tea.ordered",service="kitchen"} 0',
    'millrace_kafka_up{service="kitchen"} 1',
    'millrace_outbox_events{service="kitchen"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\n\n${text}`)
  }
  assert.match(text, /^millrace_handler_duration_seconds_count\{.*event="tea.ordered".*\} 2$/m)
  assert.match(text, /^process_cpu_seconds_total /m)
  assert.ok(!(await dining.metricsPage()).text.includes('service="kitchen"'))
  for (const line of text.split('\n')) {
    assert.match(line, /^(#.*|[a-z0-9_]+(\{[^}]*\})? [-+0-9.eInfNa]+)?$/)
  }
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  context,
  createTraceState,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { headerNames } from '../catalogue/event-headers.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { service } from '../service.ts'
import { type StartOptions, startService } from '../start-service.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'
import { currentTraceId } from './trace-context.ts'

// Before any service starts, as an application would by `node --import`.
const spans = new InMemorySpanExporter()
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
const contexts = new AsyncLocalStorageContextManager()

function install(): void {
  context.setGlobalContextManager(contexts.enable())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  )
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
}

/** Tests of other files, which may run in the same process, have none. */
async function uninstall(): Promise<void> {
  rmSync(directory, { recursive: true })
  for (const api of [context, trace, metrics]) api.disable()
  await reader.shutdown()
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-otel-'))
let starts = 0

const catalogue = defineCatalogue('tea', {
  'tea.ordered': event({ version: '1', payload: z.object({ sugar: z.string() }) }),
  'tea.served': event({ version: '1', payload: z.object({}) }),
})
const waiter = service('waiter', { catalogue })

function world() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const place = join(directory, String(starts++))
  const options = (env = {}): StartOptions => {
    const transport = openMemory(cluster, clock)
    return { directory: place, env, transport, clock, log: silentLog, announces: false }
  }
  const headersOn = (topic: string) =>
    [0, 1, 2, 3]
      .flatMap((partition) => cluster.read({ topic, partition }, 0n, 100))
      .map(
        ({ headers }) =>
          new Map(headers.map(({ name, value }) => [name, Buffer.from(value).toString()])),
      )
  return {
    options,
    headersOn,
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) await clock.advance(500)
    },
  }
}

const named = (name: string): readonly ReadableSpan[] =>
  spans.getFinishedSpans().filter((span) => span.name === name)

function one(name: string): ReadableSpan {
  const found = named(name)
  assert.equal(found.length, 1, `${name} is there ${found.length} times`)
  const [span] = found
  assert.ok(span)
  return span
}

const tracer = trace.getTracer('test')

describe('with an SDK installed', () => {
  before(install)
  after(uninstall)
  beforeEach(() => spans.reset())

  test('a chain is one trace: the active span, create, process, and what the handler says', async () => {
    const { options, pass } = world()
    const traceIds: (string | undefined)[] = []
    const kitchen = service('kitchen', { catalogue }).on(
      'tea.ordered',
      async (_event, { publish }) => {
        traceIds.push(currentTraceId())
        await publish('tea.served', { payload: {} })
      },
    )
    await using dining = await startService(waiter, options())
    await using cooking = await startService(kitchen, options())
    assert.equal(cooking.ready, true)
    await tracer.startActiveSpan('request', async (span) => {
      await dining.transaction(
        ({ publish }) => publish('tea.ordered', { payload: { sugar: 'none' } }),
        { correlationId: 'table-7' },
      )
      span.end()
    })
    await pass(5_000)
    const request = one('request')
    const ordered = one('create tea.ordered')
    const cooked = one('process tea.ordered')
    const served = one('create tea.served')
    const chain = [request, ordered, cooked, served]
    for (const [index, span] of chain.entries()) {
      assert.equal(span.spanContext().traceId, request.spanContext().traceId)
      assert.equal(span.parentSpanContext?.spanId, chain[index - 1]?.spanContext().spanId)
    }
    assert.deepEqual(traceIds, [request.spanContext().traceId])
    assert.deepEqual(
      [ordered.kind, cooked.kind, one('send tea.ordered').kind],
      [SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CLIENT],
    )
  })

  test('spans have the attributes of the conventions, and no key or payload', async () => {
    const { options, pass } = world()
    const kitchen = service('kitchen', { catalogue }).on('tea.ordered', async () => {})
    await using dining = await startService(waiter, options())
    await using cooking = await startService(kitchen, options())
    assert.equal(cooking.ready, true)
    const id = await dining.transaction(
      ({ publish }) => publish('tea.ordered', { payload: { sugar: 'none' } }),
      { correlationId: 'table-7' },
    )
    await pass(5_000)
    const { 'messaging.destination.partition.id': partition, ...attributes } =
      one('process tea.ordered').attributes
    assert.match(String(partition), /^[0-3]$/)
    assert.deepEqual(attributes, {
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'tea.ordered',
      'messaging.consumer.group.name': 'kitchen',
      'messaging.message.id': id,
      'messaging.message.conversation_id': 'table-7',
      'kafka.offset': 0,
    })
    const sent = one('send tea.ordered')
    assert.equal(sent.attributes['messaging.batch.message_count'], 1)
    assert.deepEqual(
      sent.links.map((link) => link.context.spanId),
      [one('create tea.ordered').spanContext().spanId],
    )
    assert.ok(
      !JSON.stringify(spans.getFinishedSpans().map((span) => span.attributes)).includes('sugar'),
    )
  })

  test('messaging/dup has the former names beside the current', async () => {
    const { options, pass } = world()
    const env = { OTEL_SEMCONV_STABILITY_OPT_IN: 'http, messaging/dup' }
    await using dining = await startService(waiter, options(env))
    await dining.transaction(({ publish }) => publish('tea.served', { payload: {} }))
    await pass(1_000)
    const { attributes } = one('create tea.served')
    assert.equal(attributes['messaging.system'], 'kafka')
    assert.equal(attributes['messaging.system.name'], 'kafka')
  })

  test('each attempt has a span, and a failed one its error; the trace goes on through retries', async () => {
    const { options, pass } = world()
    const kitchen = service('kitchen', { catalogue }).on(
      'tea.ordered',
      async (_event, { attempt }) => {
        if (attempt < 3) throw new TypeError('no sugar')
      },
    )
    await using dining = await startService(waiter, options())
    await using cooking = await startService(kitchen, options())
    assert.equal(cooking.ready, true)
    await dining.transaction(({ publish }) => publish('tea.ordered', { payload: { sugar: 'x' } }))
    await pass(10_000)
    const attempts = named('process tea.ordered')
    assert.deepEqual(
      attempts.map(({ status, attributes }) => [status.code, attributes['error.type']]),
      [
        [SpanStatusCode.ERROR, 'TypeError'],
        [SpanStatusCode.ERROR, 'TypeError'],
        [SpanStatusCode.UNSET, undefined],
      ],
    )
    const parent = one('create tea.ordered').spanContext().spanId
    for (const span of attempts) assert.equal(span.parentSpanContext?.spanId, parent)
  })

  test('what is redriven begins a trace of its own, linked to where it came from', async () => {
    const { options, pass } = world()
    let isMended = false
    const kitchen = service('kitchen', { catalogue }).on(
      'tea.ordered',
      async () => {
        if (!isMended) throw new Error('no sugar')
      },
      { retry: { attemptsMax: 1 } },
    )
    await using dining = await startService(waiter, options())
    await using cooking = await startService(kitchen, options())
    await dining.transaction(({ publish }) => publish('tea.ordered', { payload: { sugar: 'x' } }))
    await pass(5_000)
    isMended = true
    const [letter] = await cooking.deadLetters.list()
    assert.ok(letter)
    await cooking.deadLetters.redrive({ id: letter.id })
    await pass(5_000)
    const [, redriven] = named('process tea.ordered')
    const created = one('create tea.ordered').spanContext()
    assert.ok(redriven)
    assert.equal(redriven.parentSpanContext, undefined)
    assert.notEqual(redriven.spanContext().traceId, created.traceId)
    assert.deepEqual(
      redriven.links.map((link) => link.context.spanId),
      [created.spanId],
    )
  })

  test('a trace that came with a request and its state go on in the record', async () => {
    const { options, pass, headersOn } = world()
    await using dining = await startService(waiter, options())
    const remote = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
      isRemote: true,
      traceState: createTraceState('vendor=opaque'),
    }
    await context.with(trace.setSpanContext(context.active(), remote), () =>
      dining.transaction(({ publish }) => publish('tea.served', { payload: {} })),
    )
    await pass(5_000)
    const [headers] = headersOn('tea.served')
    const created = one('create tea.served').spanContext()
    assert.equal(
      headers?.get(headerNames.traceparent),
      `00-0af7651916cd43dd8448eb211c80319c-${created.spanId}-01`,
    )
    assert.equal(headers.get(headerNames.tracestate), 'vendor=opaque')
  })

  test('a batch is one span with a link to each event that it is about', async () => {
    const { options, pass } = world()
    const sizes: number[] = []
    const kitchen = service('kitchen', { catalogue }).onBatch(
      'tea.ordered',
      async (events) => {
        sizes.push(events.length)
      },
      { sizeMax: 10, waitMsMax: 100 },
    )
    await using dining = await startService(waiter, options())
    await dining.transaction(async ({ publish }) => {
      for (const sugar of ['a', 'b', 'c']) await publish('tea.ordered', { payload: { sugar } })
    })
    await pass(5_000)
    await using cooking = await startService(kitchen, options())
    assert.equal(cooking.ready, true)
    await pass(5_000)
    const runs = named('process tea.ordered')
    const created = named('create tea.ordered').map((span) => span.spanContext().spanId)
    const linked = runs.flatMap(({ links }) => links.map((link) => link.context.spanId))
    assert.deepEqual(linked.sort(), created.sort())
    for (const [index, run] of runs.entries()) {
      const size = sizes[index] ?? 0
      assert.equal(run.links.length, size)
      const count = run.attributes['messaging.batch.message_count']
      assert.equal(count, size === 1 ? undefined : size)
      assert.equal(run.parentSpanContext === undefined, size > 1)
    }
    assert.ok(
      sizes.some((size) => size > 1),
      sizes.join(' '),
    )
  })

  test('the metrics of the conventions are measured', async () => {
    const { options, pass } = world()
    const kitchen = service('kitchen', { catalogue }).on('tea.ordered', async () => {})
    await using dining = await startService(waiter, options())
    await using cooking = await startService(kitchen, options())
    assert.equal(cooking.ready, true)
    await dining.transaction(({ publish }) => publish('tea.ordered', { payload: { sugar: 'x' } }))
    await pass(5_000)
    await reader.forceFlush()
    const measured = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .filter(({ scope }) => scope.name === '@millrace/kit')
      .flatMap((scope) => scope.metrics)
      .map(({ descriptor: { name, unit } }) => `${name} in ${unit}`)
    assert.deepEqual([...new Set(measured)].sort(), [
      'messaging.client.consumed.messages in {message}',
      'messaging.client.operation.duration in s',
      'messaging.client.sent.messages in {message}',
      'messaging.process.duration in s',
    ])
  })
})

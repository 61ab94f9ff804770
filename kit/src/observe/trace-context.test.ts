import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTraceState } from '@opentelemetry/api'
import { engineFixture } from '../../test/engine-fixture.ts'
import { messagingAttributes } from './otel-attributes.ts'
import { OtelSpans } from './otel-spans.ts'
import { carriedBy, isTracing, spanContextOf } from './trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

test('what is carried becomes a span context and the same again', () => {
  const carried = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'a=1,b=2' }
  const found = spanContextOf(carried)
  assert.deepEqual([found?.traceId, found?.spanId, found?.traceFlags], [traceId, spanId, 1])
  assert.ok(found)
  assert.deepEqual(carriedBy(found), carried)
})

const misfits = [
  ['nothing', null],
  ['no trace context', 'hello'],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['the version that is forbidden', `ff-${traceId}-${spanId}-01`],
  ['more than version 00 allows', `00-${traceId}-${spanId}-011`],
] as const
for (const [what, traceparent] of misfits) {
  test(`${what} is no span context`, () => assert.equal(spanContextOf({ traceparent }), null))
}

test('a later version with more behind it is read as far as it is known', () => {
  const found = spanContextOf({ traceparent: `01-${traceId}-${spanId}-03-more` })
  assert.deepEqual([found?.traceId, found?.traceFlags], [traceId, 1])
})

test('a span context that is none is not carried', () => {
  const none = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 }
  assert.equal(carriedBy({ ...none, traceState: createTraceState('a=1') }), null)
})

test('without an SDK nothing is made, and what a cause carried goes on as it came', async () => {
  assert.equal(isTracing(), false)
  const spans = new OtelSpans({ group: 'g', describe: messagingAttributes({}) })
  const carried = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'a=1' }
  const correlation = { correlationId: 'c', causationId: null, ...carried }
  assert.equal(spans.propagate({ eventId: 'e', eventType: 't', topic: 't' }, correlation), null)
  await using fixture = await engineFixture()
  const handling = fixture.handling(carried)
  await handling.run(() => handling.context.publish('person.left', { payload: { name: 'ada' } }))
  await handling.commit()
  const [row] = await fixture.rows()
  const { traceparent, tracestate } = row?.headers ?? {}
  assert.deepEqual({ traceparent, tracestate }, carried)
})

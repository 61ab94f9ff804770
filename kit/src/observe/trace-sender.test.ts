import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import type { OutgoingRecord, SendOutcome } from '../transport/transport.ts'
import { traceBatchAgeMsMax, traceBatchStepsMax, traceBufferStepsMax } from './limits.ts'
import { TraceSender } from './trace-sender.ts'
import { readTraceBatch, type TraceBatch, type TraceStep } from './trace-step.ts'

const sent: SendOutcome = { kind: 'sent', baseOffset: 0n }
const away: SendOutcome = { kind: 'unavailable', code: 'x', message: 'nobody answers' }

const step = (index: number): TraceStep => ({
  step: 'said',
  atMs: index,
  id: `event-${index}`,
  chain: 'c',
})

function fixture(answer: () => Promise<SendOutcome> = async () => sent) {
  const clock = new ManualClock()
  const batches: TraceBatch[] = []
  const state = { isReady: true }
  const sender = new TraceSender({
    service: 'speaker',
    instance: 'one',
    transport: {
      async send(_place, [record]: readonly OutgoingRecord[]) {
        const outcome = await answer()
        const batch = record?.value ? readTraceBatch(record.value) : null
        if (batch !== null && outcome.kind === 'sent') batches.push(batch)
        return outcome
      },
    },
    clock,
    isReady: () => state.isReady,
  })
  return { clock, batches, sender, state }
}

test('steps go together once the oldest has its age', async () => {
  const { sender, clock, batches } = fixture()
  sender.add(step(1))
  sender.add(step(2))
  await clock.advance(traceBatchAgeMsMax - 1)
  assert.equal(batches.length, 0)
  await clock.advance(1)
  assert.deepEqual(
    batches.map(({ steps, dropped }) => ({ ids: steps.map(({ id }) => id), dropped })),
    [{ ids: ['event-1', 'event-2'], dropped: 0 }],
  )
})

test('a full batch goes at once, and one send is in flight', async () => {
  const gate = Promise.withResolvers<void>()
  let inFlight = 0
  let most = 0
  const { sender, clock, batches } = fixture(async () => {
    inFlight += 1
    most = Math.max(most, inFlight)
    await gate.promise
    inFlight -= 1
    return sent
  })
  for (let index = 0; index < 3 * traceBatchStepsMax; index += 1) sender.add(step(index))
  gate.resolve()
  await clock.advance(traceBatchAgeMsMax)
  assert.equal(most, 1)
  assert.deepEqual(
    batches.map(({ steps }) => steps.length),
    [traceBatchStepsMax, traceBatchStepsMax, traceBatchStepsMax],
  )
})

test('what does not fit in memory is dropped, and the topic is told how much', async () => {
  const { sender, clock, batches, state } = fixture()
  state.isReady = false
  for (let index = 0; index < traceBufferStepsMax + 7; index += 1) sender.add(step(index))
  assert.equal(sender.dropped, 7)
  state.isReady = true
  await clock.advance(traceBatchAgeMsMax)
  assert.equal(
    batches.reduce((sum, { steps }) => sum + steps.length, 0),
    traceBufferStepsMax,
  )
  assert.deepEqual(
    batches.map(({ dropped }) => dropped).filter((dropped) => dropped > 0),
    [7],
  )
})

test('a batch that Kafka does not take is dropped, and told of with the next', async () => {
  let answer: SendOutcome = away
  const { sender, clock, batches } = fixture(async () => answer)
  sender.add(step(1))
  await clock.advance(traceBatchAgeMsMax)
  assert.equal(sender.dropped, 1)
  answer = sent
  sender.add(step(2))
  await clock.advance(traceBatchAgeMsMax)
  assert.deepEqual(
    batches.map(({ steps, dropped }) => [steps[0]?.id, dropped]),
    [['event-2', 1]],
  )
})

test('a stop sends what there is, and waits no longer than its limit', async () => {
  const well = fixture()
  well.sender.add(step(1))
  await well.sender.stop()
  assert.equal(well.batches.length, 1)

  const stuck = fixture(() => new Promise(() => {}))
  stuck.sender.add(step(1))
  const stopped = stuck.sender.stop()
  await stuck.clock.advance(10_000)
  await stopped
})

test('a record that is no batch is read as none, and a step that is none is left out', () => {
  const read = (value: unknown) => readTraceBatch(new TextEncoder().encode(JSON.stringify(value)))
  assert.equal(read({ no: 'batch' }), null)
  assert.equal(readTraceBatch(new TextEncoder().encode('{')), null)
  const mixed = read({ service: 's', steps: [step(1), { step: 'said' }, { ...step(2), cause: 7 }] })
  assert.deepEqual(mixed?.steps, [step(1)])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '@millrace/kit'
import { type Stoppable, stopInOrder } from './stop.ts'

function host() {
  const clock = new ManualClock()
  const said: string[] = []
  const events: string[] = []
  const part = (name: string, work = Promise.resolve()): Stoppable => ({
    name,
    async stop() {
      events.push(`${name} stops`)
      await work
      events.push(`${name} stopped`)
    },
  })
  return {
    clock,
    said,
    events,
    part,
    options: { clock, say: (line: string) => void said.push(line) },
  }
}

test('a stage begins when the one before it has ended, and says nothing when it is quick', async () => {
  const { part, events, said, clock, options } = host()
  const outcome = await stopInOrder([[part('a'), part('b')], [part('broker')]], options)
  assert.deepEqual(outcome, { kind: 'stopped' })
  assert.deepEqual(events.slice(0, 2), ['a stops', 'b stops'])
  assert.deepEqual(events.slice(-2), ['broker stops', 'broker stopped'])
  assert.deepEqual(said, [])
  assert.equal(clock.timers, 0)
})

test('after two seconds it says what it waits for, once', async () => {
  const { part, said, clock, options } = host()
  const { promise, resolve } = Promise.withResolvers<void>()
  const outcome = stopInOrder([[part('quick'), part('task-service', promise)]], options)
  await clock.advance(1_999)
  assert.deepEqual(said, [])
  await clock.advance(10_000)
  assert.deepEqual(said, [
    'waiting for task-service to finish what runs; Ctrl-C again ends at once',
  ])
  resolve()
  assert.deepEqual(await outcome, { kind: 'stopped' })
})

test('a part that never ends holds nobody longer than half a minute', async () => {
  const { part, clock, options } = host()
  const never = new Promise<void>(() => undefined)
  const outcome = stopInOrder([[part('stuck', never)], [part('broker')]], options)
  await clock.advance(30_000)
  assert.deepEqual(await outcome, { kind: 'late', names: ['stuck'] })
})

test('a part that fails is said, and the others are stopped all the same', async () => {
  const { part, events, said, options } = host()
  const failing = part('a', Promise.reject(new Error('disk full')))
  assert.deepEqual(await stopInOrder([[failing], [part('broker')]], options), {
    kind: 'failed',
    names: ['a'],
  })
  assert.deepEqual(said, ['a did not stop in order: disk full'])
  assert.equal(events.at(-1), 'broker stopped')
})

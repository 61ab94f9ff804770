import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { ManualClock } from '../manual-clock.ts'
import { lagQueryMsMax } from '../observe/limits.ts'
import type { PartitionLag } from '../transport/transport.ts'
import { readGroupLag } from './group-lag.ts'

const catalogue = defineCatalogue('c', {
  'a.said': event({ version: '1', topic: 'a', payload: z.unknown() }),
  'a.meant': event({ version: '1', topic: 'a', payload: z.unknown() }),
})
const listener = {
  name: 'listener',
  processes: [],
  group: 'g',
  catalogue,
  handlers: new Map([
    ['a.said', 1],
    ['a.meant', 1],
  ]),
}
const behind: PartitionLag = {
  topic: 'a',
  partition: 0,
  committed: 1n,
  start: 0n,
  end: 3n,
  lag: 2n,
}

test('each topic is asked for once', async () => {
  const asked: (readonly string[])[] = []
  const lag = async (_group: string, topics: readonly string[]) => {
    asked.push(topics)
    return [behind]
  }
  const known = await readGroupLag({ lag }, listener, new ManualClock())
  assert.deepEqual(known, { partitions: [behind], unknown: null })
  assert.deepEqual(asked, [['a']])
})

test('a Kafka that does not answer is waited for no longer than the limit', async () => {
  const clock = new ManualClock()
  const answer = readGroupLag({ lag: () => new Promise(() => {}) }, listener, clock)
  await clock.advance(lagQueryMsMax)
  assert.match((await answer).unknown ?? '', /did not tell the lag within/)
  assert.equal(clock.timers, 0)
})

test('why Kafka does not tell is told', async () => {
  const lag = () => Promise.reject(new Error('not authorised'))
  const { unknown } = await readGroupLag({ lag }, listener, new ManualClock())
  assert.equal(unknown, 'not authorised')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troublesOf } from './topic-watch.ts'

const orders = { topic: 'orders', topicId: 'id', partitions: 6 }

const cases: readonly [string, { before: number; wanted: number | undefined }, RegExp | null][] = [
  ['as many as ever, and as the catalogue says', { before: 6, wanted: 6 }, null],
  ['as many as ever, on a topic of others', { before: 6, wanted: undefined }, null],
  [
    'other than the catalogue says',
    { before: 6, wanted: 4 },
    /has 6 partitions, and the catalogue says 4: write 6 into the catalogue/,
  ],
  [
    'more than there were, though the catalogue says so',
    { before: 4, wanted: 6 },
    /had 4 partitions and has 6 now: keys have moved/,
  ],
]
for (const [what, { before, wanted }, message] of cases) {
  test(`partitions that are ${what}: ${message === null ? 'no trouble' : 'told'}`, () => {
    const survey = { topics: [orders], refused: new Map() }
    const troubles = troublesOf(survey, new Map([['id', before]]), () => wanted)
    assert.deepEqual(
      troubles.map(({ topic, kind }) => [topic, kind]),
      message === null ? [] : [['orders', 'partitions-differ']],
    )
    if (message !== null) assert.match(troubles.at(0)?.message ?? '', message)
  })
}

test('a topic that is refused is told with what Kafka says', () => {
  const survey = { topics: [], refused: new Map([['secret', 'not for you']]) }
  assert.deepEqual(
    troublesOf(survey, new Map(), () => 4),
    [{ topic: 'secret', kind: 'refused', message: 'not for you' }],
  )
})

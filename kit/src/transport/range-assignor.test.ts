import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterMetadata } from '@platformatic/kafka'
import { assignRange } from './range-assignor.ts'

const metadata = (counts: Record<string, number>): ClusterMetadata => ({
  id: 'cluster',
  brokers: new Map(),
  controllerId: 1,
  lastUpdate: 0,
  topics: new Map(
    Object.entries(counts).map(([topic, partitionsCount]) => [
      topic,
      { id: topic, partitions: [], partitionsCount, lastUpdate: 0 },
    ]),
  ),
})

function deal(members: Record<string, string[]>, counts: Record<string, number>) {
  const subscriptions = new Map(
    Object.entries(members).map(([memberId, topics]) => [
      memberId,
      { memberId, topics, version: 1 },
    ]),
  )
  const dealt = assignRange('a', subscriptions, new Set(), metadata(counts))
  return Object.fromEntries(
    dealt.map(({ memberId, assignments }) => [
      memberId,
      Object.fromEntries([...assignments].map(([topic, { partitions }]) => [topic, partitions])),
    ]),
  )
}

const cases: readonly [string, Parameters<typeof deal>, object][] = [
  [
    'topics with as many partitions are dealt alike',
    [
      { a: ['x', 'y'], b: ['x', 'y'] },
      { x: 4, y: 4 },
    ],
    { a: { x: [0, 1], y: [0, 1] }, b: { x: [2, 3], y: [2, 3] } },
  ],
  [
    'the first members take the remainder',
    [{ c: ['x'], a: ['x'], b: ['x'] }, { x: 5 }],
    { a: { x: [0, 1] }, b: { x: [2, 3] }, c: { x: [4] } },
  ],
  [
    'a member gets nothing of a topic that it did not ask for, and may get nothing at all',
    [
      { a: ['x'], b: ['y'], c: ['y'] },
      { x: 2, y: 1 },
    ],
    { a: { x: [0, 1] }, b: { y: [0] }, c: {} },
  ],
  ['a topic that is unknown has no partitions', [{ a: ['x'] }, {}], { a: {} }],
]
for (const [title, request, dealt] of cases) {
  test(title, () => assert.deepEqual(deal(...request), dealt))
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visibleBatches } from './visible-batches.ts'

type Kind = 'plain' | 'transactional' | 'abort' | 'commit' | 'emptied'

/** `offset kind producer`, one record each. */
const batch = (offset: number, kind: Kind, producer = 1) => ({
  firstOffset: BigInt(offset),
  lastOffsetDelta: 0,
  attributes: kind === 'plain' ? 0 : kind === 'transactional' ? 0x10 : 0x30,
  producerId: BigInt(producer),
  records:
    kind === 'emptied'
      ? []
      : [{ key: kind === 'abort' ? Buffer.from([0, 0, 0, 0]) : Buffer.from([0, 0, 0, 1]) }],
})
const aborted = (offset: number, producer = 1) => ({
  producerId: BigInt(producer),
  firstOffset: BigInt(offset),
})

const cases: readonly [string, Parameters<typeof visibleBatches>, readonly number[]][] = [
  ['markers are never seen', [[batch(0, 'transactional'), batch(1, 'commit')], []], [0]],
  [
    'two aborted transactions of one producer are both left out',
    [
      [
        batch(0, 'transactional'),
        batch(1, 'abort'),
        batch(2, 'transactional'),
        batch(3, 'abort'),
        batch(4, 'transactional'),
        batch(5, 'commit'),
      ],
      [aborted(0), aborted(2)],
    ],
    [4],
  ],
  [
    'an aborted one whose marker lies beyond this response is left out',
    [[batch(0, 'transactional'), batch(1, 'plain', 9)], [aborted(0)]],
    [1],
  ],
  [
    'the list may come in any order, and of others’ producers nothing is lost',
    [
      [
        batch(0, 'transactional', 1),
        batch(1, 'transactional', 2),
        batch(2, 'abort', 1),
        batch(3, 'transactional', 1),
        batch(4, 'abort', 2),
        batch(5, 'transactional', 2),
      ],
      [aborted(1, 2), aborted(0, 1)],
    ],
    [3, 5],
  ],
  [
    'a control batch that compaction emptied is passed over',
    [[batch(0, 'emptied'), batch(1, 'plain')], []],
    [1],
  ],
]
for (const [title, [batches, list], seen] of cases) {
  test(title, () => {
    const offsets = visibleBatches(batches, list).map(({ firstOffset }) => Number(firstOffset))
    assert.deepEqual(offsets, seen)
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBatch, errors } from '@millrace/wire'
import * as fc from 'fast-check'
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'

const DAY_MS = 86_400_000
const LAST_SEQUENCE = 2 ** 31 - 1

interface Sent {
  readonly producerId?: bigint
  readonly epoch?: number
  readonly sequence: number
  readonly count?: number
  readonly offset?: bigint
}

function header({ producerId = 7n, epoch = 0, sequence, count = 1, offset = 0n }: Sent) {
  const records = Array.from({ length: count }, () => ({ timestamp: 1000n }))
  return encodeBatch(records, {
    producerId,
    producerEpoch: epoch,
    baseSequence: sequence,
    baseOffset: offset,
  }).header
}

/** A state in which the batches were appended one after the other. */
function after(...batches: readonly Sent[]): ProducerState {
  const state = new ProducerState()
  for (const batch of batches) state.record(header(batch), 0)
  state.keepTurn()
  return state
}

const row = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ sequence: index, offset: BigInt(index * 10) }))

const verdicts: readonly [
  name: string,
  state: ProducerState,
  sent: Sent,
  verdict: 'next' | { duplicateAt: bigint } | keyof typeof errors,
][] = [
  ['a producer that is not known may begin anywhere', after(), { sequence: 500 }, 'next'],
  ['the next sequence is taken', after({ sequence: 0, count: 3 }), { sequence: 3 }, 'next'],
  [
    'a gap is refused',
    after({ sequence: 0, count: 3 }),
    { sequence: 4 },
    'outOfOrderSequenceNumber',
  ],
  [
    'the last batch sent again is a duplicate',
    after({ sequence: 0, count: 3, offset: 40n }),
    { sequence: 0, count: 3 },
    { duplicateAt: 40n },
  ],
  ['the fifth last batch is a duplicate', after(...row(9)), { sequence: 4 }, { duplicateAt: 40n }],
  ['the sixth last batch is not', after(...row(9)), { sequence: 3 }, 'outOfOrderSequenceNumber'],
  [
    'a batch that overlaps the last one without being it is refused',
    after({ sequence: 0, count: 3 }),
    { sequence: 0, count: 2 },
    'outOfOrderSequenceNumber',
  ],
  ['after 2^31 - 1 comes 0', after({ sequence: LAST_SEQUENCE }), { sequence: 0 }, 'next'],
  [
    'a batch may span the wrap',
    after({ sequence: LAST_SEQUENCE - 1, count: 4 }),
    { sequence: 2 },
    'next',
  ],
  [
    'a batch that spans the wrap is known again',
    after({ sequence: LAST_SEQUENCE - 1, count: 4, offset: 9n }),
    { sequence: LAST_SEQUENCE - 1, count: 4 },
    { duplicateAt: 9n },
  ],
  ['a new epoch begins at 0', after(...row(3)), { epoch: 1, sequence: 0 }, 'next'],
  [
    'a new epoch that begins elsewhere is refused',
    after(...row(3)),
    { epoch: 1, sequence: 3 },
    'outOfOrderSequenceNumber',
  ],
  [
    'an old epoch is fenced',
    after({ epoch: 2, sequence: 0 }),
    { epoch: 1, sequence: 1 },
    'invalidProducerEpoch',
  ],
  [
    'a new epoch makes the batches of the old one unknown',
    after({ sequence: 0 }, { epoch: 1, sequence: 0, count: 2, offset: 5n }),
    { epoch: 1, sequence: 0 },
    'outOfOrderSequenceNumber',
  ],
  ['producers do not mix', after(...row(3)), { producerId: 8n, sequence: 0 }, 'next'],
]

describe('producer state', () => {
  for (const [name, state, sent, expected] of verdicts) {
    test(name, () => {
      const verdict = state.check(header(sent))
      if (expected === 'next') assert.equal(verdict.kind, 'next')
      else if (typeof expected === 'object') {
        assert.ok(verdict.kind === 'duplicate')
        assert.equal(verdict.original.baseOffset, expected.duplicateAt)
      } else {
        assert.ok(verdict.kind === 'rejected')
        assert.equal(verdict.errorCode, errors[expected].code)
      }
    })
  }

  test('batches without a producer id are not remembered', () => {
    const state = after({ producerId: -1n, sequence: 0 })
    assert.deepEqual([...state.entries], [])
  })

  test('undoing a turn brings back what was, also for a producer that was new in it', () => {
    const state = after({ sequence: 0 })
    const before = [...state.entries]
    state.record(header({ sequence: 1 }), 5)
    state.record(header({ sequence: 2 }), 5)
    state.record(header({ producerId: 8n, sequence: 0 }), 5)
    state.undoTurn()
    assert.deepEqual([...state.entries], before)
  })

  test('a producer is forgotten a day after its last batch, and not a moment earlier', () => {
    const state = new ProducerState()
    state.record(header({ sequence: 0 }), 1000)
    state.expire(1000 + DAY_MS - 1)
    assert.equal(state.check(header({ sequence: 9 })).kind, 'rejected')
    state.expire(1000 + DAY_MS)
    assert.equal(state.check(header({ sequence: 9 })).kind, 'next')
  })
})

describe('producer snapshot', () => {
  const histories = fc.array(
    fc.record({
      producerId: fc.bigInt({ min: 0n, max: 3n }),
      epoch: fc.integer({ min: 0, max: 2 }),
      sequence: fc.integer({ min: 0, max: LAST_SEQUENCE }),
      count: fc.integer({ min: 1, max: 5 }),
      offset: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    }),
  )

  test('a snapshot restores every batch that was remembered', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const entries = [...after(...history).entries]
        assert.deepEqual(decodeSnapshot(encodeSnapshot(entries), 0), entries)
      }),
    )
  })

  test('a snapshot with any byte changed or missing is not believed', () => {
    const whole = encodeSnapshot(after(...row(3)).entries)
    for (let at = 0; at < whole.length; at++) {
      assert.equal(decodeSnapshot(whole.with(at, (whole[at] ?? 0) ^ 0x40), 0), undefined)
      assert.equal(decodeSnapshot(whole.subarray(0, at), 0), undefined)
    }
  })
})

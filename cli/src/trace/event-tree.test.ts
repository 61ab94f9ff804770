import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceStep } from '@millrace/kit'
import { eventTrees, type ToldStep } from './event-tree.ts'
import { duration, traceLines } from './trace-lines.ts'

const startMs = Date.UTC(2026, 0, 1)

type Told = Partial<TraceStep> & Pick<TraceStep, 'step' | 'id'>

/** Steps of a service: `[10, { … }]` is told ten milliseconds after the beginning. */
function told(by: string, ...steps: readonly (readonly [number, Told])[]): readonly ToldStep[] {
  return steps.map(([ms, step]) => ({ chain: 'c', by, ...step, atMs: startMs + ms }))
}

function said(by: string, ms: number, event: Omit<Told, 'step'>): readonly ToldStep[] {
  return told(by, [ms, { step: 'said', ...event }], [ms + 2, { step: 'sent', ...event }])
}

function handled(by: string, ms: number, id: string): readonly ToldStep[] {
  return told(
    by,
    [ms, { step: 'heard', id }],
    [ms + 1, { step: 'started', id, attempt: 1 }],
    [ms + 6, { step: 'ended', id, attempt: 1, tookMs: 5, outcome: 'handled' }],
    [ms + 6, { step: 'settled', id }],
  )
}

const show = (...steps: readonly (readonly ToldStep[])[]) =>
  traceLines(eventTrees(steps.flat()), { emphasise: (_, text) => text, knowsHearings: true }).join(
    '\n',
  )

const order = { id: 'order', type: 'order.placed', topic: 'orders' }
const payment = { id: 'payment', type: 'payment.taken', cause: 'order', topic: 'payments' }
const parcel = { id: 'parcel', type: 'parcel.packed', cause: 'order', topic: 'parcels' }

const transcripts: readonly [string, readonly (readonly ToldStep[])[], string][] = [
  [
    'an event that two services hear, and what each of them says because of it',
    [
      said('shop', 0, order),
      handled('bank', 5, 'order'),
      handled('depot', 7, 'order'),
      said('bank', 11, payment),
      said('depot', 13, parcel),
      handled('depot', 20, 'payment'),
    ],
    `order.placed said by shop at 2026-01-01T00:00:00.000Z, outbox 2 ms
├─ bank: handled (Kafka 3 ms, queue 1 ms, handler 5 ms)
│  └─ payment.taken said by bank at 2026-01-01T00:00:00.011Z, outbox 2 ms
│     └─ depot: handled (Kafka 7 ms, queue 1 ms, handler 5 ms)
└─ depot: handled (Kafka 5 ms, queue 1 ms, handler 5 ms)
   └─ parcel.packed said by depot at 2026-01-01T00:00:00.013Z, outbox 2 ms
         heard by nobody yet`,
  ],
  [
    'retries, with their reasons, their waits and their effects',
    [
      said('shop', 0, order),
      told(
        'bank',
        [5, { step: 'heard', id: 'order' }],
        [5, { step: 'started', id: 'order', attempt: 1 }],
        [9, { step: 'ended', id: 'order', attempt: 1, tookMs: 4, outcome: 'failed', reason: 'no' }],
        [9, { step: 'delayed', id: 'order', dueAtMs: startMs + 309 }],
        [309, { step: 'started', id: 'order', attempt: 2 }],
        [315, { step: 'effect', id: 'order', name: 'charge', outcome: 'done', tookMs: 6 }],
        [319, { step: 'ended', id: 'order', attempt: 2, tookMs: 10, outcome: 'handled' }],
      ),
    ],
    `order.placed said by shop at 2026-01-01T00:00:00.000Z, outbox 2 ms
└─ bank: handled after 2 attempts (Kafka 3 ms, queue 0 ms, handler 14 ms, between attempts 300 ms)
      attempt 1 failed after 4 ms: no
      waits for its next attempt, next at 2026-01-01T00:00:00.309Z
      effect charge: done, 6 ms`,
  ],
  [
    'what is parked, and what is redriven after it',
    [
      said('shop', 0, order),
      told(
        'bank',
        [5, { step: 'heard', id: 'order' }],
        [5, { step: 'started', id: 'order', attempt: 1 }],
        [6, { step: 'ended', id: 'order', attempt: 1, tookMs: 1, outcome: 'failed', reason: 'no' }],
        [7, { step: 'parked', id: 'order', state: 'parked', reason: 'no' }],
        [60_000, { step: 'redriven', id: 'order' }],
        [60_001, { step: 'returned', id: 'order' }],
        [60_001, { step: 'started', id: 'order', attempt: 1 }],
        [60_003, { step: 'ended', id: 'order', attempt: 1, tookMs: 2, outcome: 'handled' }],
      ),
    ],
    `order.placed said by shop at 2026-01-01T00:00:00.000Z, outbox 2 ms
└─ bank: handled after 2 attempts (Kafka 3 ms, queue 0 ms, handler 3 ms, between attempts 60 s)
      attempt 1 failed after 1 ms: no
      put aside as parked: no
      redriven at 2026-01-01T00:01:00.000Z`,
  ],
  [
    'several roots, and a cause that is not told',
    [said('shop', 0, order), said('bank', 9, { ...payment, cause: 'elsewhere' })],
    `order.placed said by shop at 2026-01-01T00:00:00.000Z, outbox 2 ms
   heard by nobody yet

payment.taken said by bank at 2026-01-01T00:00:00.009Z, outbox 2 ms
   caused by elsewhere, not told here
   heard by nobody yet`,
  ],
  [
    'an event of somebody else, whose record alone tells when it was',
    [told('bank', [9, { step: 'heard', ...order, recordedAtMs: startMs + 4, source: 'old shop' }])],
    `order.placed said by old shop at 2026-01-01T00:00:00.004Z
└─ bank: queued`,
  ],
  [
    'a caused event whose cause nobody is known to have heard stands under the cause',
    [said('shop', 0, order), said('bank', 9, payment)],
    `order.placed said by shop at 2026-01-01T00:00:00.000Z, outbox 2 ms
│  heard by nobody yet
└─ payment.taken said by bank at 2026-01-01T00:00:00.009Z, outbox 2 ms
      heard by nobody yet`,
  ],
  [
    'a clock that goes behind makes no negative time',
    [said('shop', 0, order), handled('bank', -4_000, 'order')],
    `order.placed said by shop at 2026-01-01T00:00:00.000Z, outbox 2 ms
└─ bank: handled (Kafka ? (clocks differ), queue 1 ms, handler 5 ms)`,
  ],
  [
    'control characters of an error do not reach the terminal',
    [
      told('bank', [
        5,
        { step: 'ended', ...order, attempt: 1, tookMs: 1, outcome: 'failed', reason: '\u001b[2J' },
      ]),
    ],
    `order.placed
└─ bank: failed (handler 1 ms)
      attempt 1 failed after 1 ms: \\u001b[2J`,
  ],
]
for (const [what, steps, expected] of transcripts) {
  test(what, () => assert.equal(show(...steps), expected))
}

test('steps may come in any order', () => {
  const steps = [said('shop', 0, order), handled('bank', 5, 'order'), said('bank', 11, payment)]
  const inOrder = show(...steps)
  assert.equal(show(steps.flat().reverse()), inOrder)
})

const outcomes: readonly [string, readonly Told[]][] = [
  ['queued', [{ step: 'heard', id: 'e' }]],
  [
    'running',
    [
      { step: 'heard', id: 'e' },
      { step: 'started', id: 'e', attempt: 1 },
    ],
  ],
  ['handled', [{ step: 'ended', id: 'e', outcome: 'handled' }]],
  ['repeated', [{ step: 'repeated', id: 'e' }]],
  ['repeated', [{ step: 'ended', id: 'e', outcome: 'repeat' }]],
  [
    'handled',
    [
      { step: 'ended', id: 'e', outcome: 'handled' },
      { step: 'repeated', id: 'e' },
    ],
  ],
  ['failed', [{ step: 'ended', id: 'e', outcome: 'failed' }]],
  [
    'parked',
    [
      { step: 'ended', id: 'e', outcome: 'failed' },
      { step: 'parked', id: 'e' },
    ],
  ],
  [
    'parked',
    [
      { step: 'heard', id: 'e' },
      { step: 'parked', id: 'e', state: 'behind' },
    ],
  ],
  [
    'discarded',
    [
      { step: 'parked', id: 'e' },
      { step: 'discarded', id: 'e' },
    ],
  ],
  ['rejected', [{ step: 'rejected', id: 'e' }]],
]
for (const [outcome, steps] of outcomes) {
  test(`${steps.map(({ step }) => step).join(', ')} is ${outcome}`, () => {
    const [root] = eventTrees(told('s', ...steps.map((step, index) => [index, step] as const)))
    assert.equal(root?.hearings[0]?.outcome, outcome)
  })
}

test('events that cause each other stand at the top, each once', () => {
  const roots = eventTrees([
    ...said('a', 0, { id: 'egg', cause: 'hen' }),
    ...said('b', 1, { id: 'hen', cause: 'egg' }),
    ...said('c', 2, { id: 'self', cause: 'self' }),
    ...said('c', 3, { id: 'chick', cause: 'egg' }),
  ])
  assert.deepEqual(
    roots.map(({ id, caused }) => [id, caused.map((event) => event.id)]),
    [
      ['egg', ['chick']],
      ['hen', []],
      ['self', []],
    ],
  )
})

test('a duration has three figures at most', () => {
  const cases = [0, 999, 1_234, 59_949, 61_000]
  assert.deepEqual(cases.map(duration), ['0 ms', '999 ms', '1.23 s', '59.9 s', '1 min 1 s'])
})

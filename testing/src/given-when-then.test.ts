import assert, { AssertionError } from 'node:assert'
import { test } from 'node:test'
import {
  type AggregateDecision,
  defineAggregate,
  defineCatalogue,
  defineProcess,
  event,
  MillraceError,
} from '@millrace/kit'
import { z } from 'zod'
import { specify } from './given-when-then.ts'

const tableId = z.string()
const fact = event({ version: '1.0', payload: z.object({ tableId }) })
const catalogue = defineCatalogue('restaurant', {
  'table.opened': fact,
  'bill.asked': fact,
  'bill.paid': fact,
  'waiter.called': fact,
  'table.cleared': fact,
})

interface Table {
  readonly isOpen: boolean
  readonly dishes: number
}
type TableEvent = { readonly type: 'opened' } | { readonly type: 'ordered'; readonly dish: unknown }
type TableCommand = { readonly kind: 'open' } | { readonly kind: 'order'; readonly dish: unknown }

const table = defineAggregate('table', {
  catalogue,
  initial: (): Table => ({ isOpen: false, dishes: 0 }),
  decide: (state: Table, command: TableCommand): AggregateDecision<TableEvent, 'closed'> => {
    if (command.kind === 'open') return { kind: 'accepted', events: [{ type: 'opened' }] }
    if (!state.isOpen) return { kind: 'rejected', reason: 'closed' }
    return { kind: 'accepted', events: [{ type: 'ordered', dish: command.dish }] }
  },
  evolve: (state: Table, { type }: TableEvent): Table =>
    type === 'opened' ? { ...state, isOpen: true } : { ...state, dishes: state.dishes + 1 },
  publish: ({ type }, { id }) =>
    type === 'opened' ? [{ name: 'table.opened', body: { payload: { tableId: id } } }] : [],
})

const given = specify(table, { id: '12' })
const opened = { type: 'opened' } as const
const soup = { type: 'ordered', dish: 'soup' } as const

test('what an aggregate accepts, leaves and publishes can be said in one sentence', () => {
  given([opened, soup])
    .when({ kind: 'order', dish: 'cake' })
    .then([{ type: 'ordered', dish: 'cake' }])
    .thenState({ isOpen: true, dishes: 2 })
    .thenPublished([])
  given([])
    .when({ kind: 'open' })
    .thenPublished([{ name: 'table.opened', body: { payload: { tableId: '12' } } }])
  given([]).when({ kind: 'order', dish: 'soup' }).thenRejected('closed')
})

interface Service {
  readonly calls: number
}

const billing = specify(
  defineProcess('bill', {
    catalogue,
    initial: (): Service => ({ calls: 0 }),
    timers: ['bill overdue'],
  })
    .on(
      'bill.asked',
      ({ payload }) => payload.tableId,
      ({ calls }, { payload }) => ({
        kind: 'continue',
        state: { calls },
        publish: [{ name: 'waiter.called', body: { payload } }],
        timers: [{ name: 'bill overdue', afterMs: 60_000, data: { calls } }],
        done: [
          {
            step: 'asked',
            undo: { name: 'table.cleared', body: { payload } },
          },
        ],
      }),
    )
    .on(
      'bill.paid',
      ({ payload }) => payload.tableId,
      (_state, _event, { status, steps }) =>
        steps.length === 0 ? { kind: 'ignore' } : { kind: status === 'running' ? 'end' : 'ignore' },
    )
    .onTimer('bill overdue', (_state, { dueAtMs }, { nowMs }) => ({
      kind: 'compensate',
      reason: `${nowMs - dueAtMs} ms late`,
    })),
)

const asked = { name: 'bill.asked', body: { payload: { tableId: '12' } } } as const
const paid = { name: 'bill.paid', body: { payload: { tableId: '12' } } } as const
const overdue = { timer: 'bill overdue' } as const
const called = { name: 'waiter.called', body: asked.body } as const

test('what a process says and sets can be said in one sentence', () => {
  billing([])
    .when(asked)
    .then({
      published: [called],
      timers: [{ name: 'bill overdue', afterMs: 60_000, data: { calls: 0 } }],
      steps: ['asked'],
    })
  billing([asked])
    .when(paid)
    .then({ status: 'ended', cancelled: ['bill overdue'] })
  billing([]).when(paid).thenIgnored()
  billing([asked])
    .when(overdue)
    .then({ published: [{ name: 'table.cleared', body: asked.body }], status: 'ended', steps: [] })
  billing({ state: { calls: 3 }, timers: ['bill overdue'] })
    .when(overdue)
    .then({ state: { calls: 3 }, status: 'ended' })
})

const failures: readonly (readonly [title: string, run: () => unknown, message: RegExp])[] = [
  [
    'another event',
    () => given([opened]).when({ kind: 'order', dish: 'cake' }).then([soup]),
    /\+\s+dish: 'cake'[\s\S]*-\s+dish: 'soup'/,
  ],
  [
    'an acceptance in place of a rejection',
    () => given([]).when({ kind: 'open' }).thenRejected('closed'),
    /\+\s+kind: 'accepted'[\s\S]*-\s+kind: 'rejected'/,
  ],
  [
    'an event that nobody expected',
    () =>
      billing([])
        .when(asked)
        .then({ timers: [{ name: 'bill overdue', afterMs: 60_000 }] }),
    /\+\s+name: 'waiter\.called'/,
  ],
  ['a process that begins', () => billing([]).when(asked).thenIgnored(), /-\s+kind: 'ignored'/],
]

for (const [title, run, message] of failures) {
  test(`${title} fails the test, and is shown`, () => {
    assert.throws(run, (error) => {
      assert(error instanceof AssertionError)
      assert.match(error.message, message)
      return true
    })
  })
}

test('a timer that is not set cannot fire, and says so', () => {
  assert.throws(() => billing([]).when(overdue), /timer "bill overdue" is not set/)
  assert.throws(() => billing([asked, overdue]).when(overdue), /"bill overdue" is not set/)
})

test('what no store could keep fails here as it would there', () => {
  assert.throws(
    () => given([opened]).when({ kind: 'order', dish: new Date(0) }),
    (error) => error instanceof MillraceError && error.code === 'state-invalid',
  )
})

test('awaiting a sentence by mistake is told', async () => {
  const sentence = given([]).when({ kind: 'open' })
  // What `await` does.
  const { promise, resolve } = Promise.withResolvers<unknown>()
  resolve(sentence)
  await assert.rejects(promise, /is synchronous: do not await it/)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { service } from '@millrace/kit'
import { catalogue, ordersScenario, payments } from '../test/orders.ts'
import { DrawnChooser } from './decisions.ts'
import type { Scenario } from './scenario.ts'
import { runSchedule } from './schedule-run.ts'
import { type SimulationFailure, simulate } from './simulate.ts'
import { Templates } from './templates.ts'
import type { World } from './world.ts'

type Handle = (orderId: string, world: World) => Promise<void>

/** One service that does something with each of a few orders. */
function orders(handle: Handle, invariants: Scenario['invariants'] = {}) {
  return (world: World): Scenario => {
    const shop = service('shop', { catalogue }).on('order.placed', ({ orderId }) =>
      handle(orderId, world),
    )
    const body = (orderId: string) => ({ orderId, payload: { number: 1 } })
    const acts = ['a', 'b', 'a'].map((id) => world.arrives(catalogue, 'order.placed', body(id)))
    return { services: [shop], acts, invariants }
  }
}

async function failureOf(simulating: Promise<unknown>): Promise<SimulationFailure> {
  try {
    await simulating
  } catch (error) {
    assert(error instanceof Error && error.name === 'SimulationFailure', String(error))
    return error as SimulationFailure
  }
  return assert.fail('no schedule broke anything')
}

test('one seed makes one schedule, step by step, and another seed another', async () => {
  using templates = new Templates()
  const run = (seed: number) =>
    runSchedule({
      seed,
      make: ordersScenario,
      templates,
      faults: new Set(['crash', 'pause', 'rebalance', 'kafka-away', 'dependency-down']),
      chooser: new DrawnChooser(seed),
    })
  for (const seed of [1, 2, 3, 4, 5]) {
    const [first, second] = [await run(seed), await run(seed)]
    assert.equal(first.violation, null)
    assert.deepEqual(second.trace, first.trace)
    assert.notDeepEqual((await run(seed + 100)).trace, first.trace)
  }
})

const outside: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['a real timer', () => wait(1)],
  ['a file', () => readFile(import.meta.filename)],
  ['a socket', () => once(connect(9, '127.0.0.1'), 'connect').catch(() => {})],
  ['a real timer that nobody waits for', async () => void setTimeout(() => {}, 1)],
]

for (const [what, use] of outside) {
  test(`a handler that uses ${what} is told so, and not called clean`, async () => {
    const handle = async (): Promise<void> => {
      await use()
    }
    const failure = await failureOf(simulate(orders(handle), { schedules: 5, shrink: false }))
    assert.equal(failure.rule, 'outside')
    assert.match(failure.message, /"order\.placed" in shop waits for a .* of the real world/)
    assert.match(failure.message, /simulate\.test\.ts|a place that Node does not tell/)
  })
}

test('a service with chance of its own is told that its seeds mean nothing', async () => {
  const handle: Handle = (_orderId, world) =>
    world.dependency('draw', (_chance: number) => {})(Math.random())
  await assert.rejects(simulate(orders(handle), { schedules: 1 }), /gave two different schedules/)
})

test('an invariant that breaks is told with its seed and a short schedule', async () => {
  const booked: string[] = []
  const make = (world: World): Scenario => {
    booked.length = 0
    const book = world.dependency('book', (orderId: string) => void booked.push(orderId))
    const invariants = {
      'each order is booked once': () =>
        assert.equal(booked.length, 3, `${booked.length} bookings`),
    }
    return orders((orderId) => book(orderId), invariants)(world)
  }
  const failure = await failureOf(simulate(make, { schedules: 300 }))
  assert.equal(failure.rule, 'each order is booked once')
  assert.match(failure.message, new RegExp(`seed ${failure.seed}; simulate`))
  const deviations = failure.trace.filter(({ isDeviation }) => isDeviation)
  assert(deviations.length <= 4, failure.message)
  // The same seed alone finds it again.
  const { seed } = failure
  const again = await failureOf(simulate(make, { seed, schedules: 1, shrink: false }))
  assert.equal(again.rule, failure.rule)
})

test('what must hold after every step is checked after every step', async () => {
  let running = 0
  const make = (world: World): Scenario => {
    const slow = world.dependency('slow', (_orderId: string) => {})
    running = 0
    const scenario = orders(async (orderId) => {
      running += 1
      await slow(orderId)
      running -= 1
    })(world)
    const always = { 'one handler at a time': () => assert(running < 2, `${running} at once`) }
    return { ...scenario, always }
  }
  const failure = await failureOf(simulate(make, { schedules: 50, faults: [] }))
  assert.equal(failure.rule, 'one handler at a time')
})

test('waits of many minutes take no time', async () => {
  const make = (world: World): Scenario => {
    const startMs = world.nowMs()
    const shop = service('shop', { catalogue }).on(
      'order.placed',
      async (_order, { attempt }) => {
        if (attempt < 4) throw new Error('not yet')
      },
      { retry: { attemptsMax: 10, delayMsMin: 300_000, delayMsMax: 600_000 } },
    )
    const body = { orderId: 'a', payload: { number: 1 } }
    const invariants = {
      'it took its time': () => assert(world.nowMs() - startMs > 60_000),
      'nothing is given up': () => assert.deepEqual(world.deadLetters(shop), []),
    }
    return {
      services: [shop],
      acts: [world.arrives(catalogue, 'order.placed', body)],
      invariants,
    }
  }
  await simulate(make, { schedules: 2, faults: [] })
})

test('a request works in a transaction of its service, and the end is read from its tables', async () => {
  const make = (world: World): Scenario => {
    const shop = payments(world.dependency('charge', () => {}))
    const write = () =>
      world.transaction(shop, ({ db }) =>
        db.insertInto('lines').values({ order_id: 'a', line: 'noted' }).execute(),
      )
    return {
      services: [shop],
      acts: [world.act('somebody notes something', write)],
      invariants: {
        'it is noted once': async () => {
          const lines = await world.read(shop).selectFrom('lines').selectAll().execute()
          assert(lines.length <= 1)
        },
      },
    }
  }
  const { schedules } = await simulate(make, { schedules: 20 })
  assert.equal(schedules, 20)
})

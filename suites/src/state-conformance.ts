import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  MemoryCluster,
  openMemory,
  type RunningService,
  readAggregate,
  readProcess,
  readStream,
  type StartOptions,
  silentLog,
  startService,
  systemClock,
} from '@millrace/kit'
import { order, shopCatalogue, shopService } from './shop-service.ts'
import { until } from './work-service.ts'

export interface StateConformanceOptions {
  /** Names the store in the names of the tests. */
  readonly name: string
  /** A place of its own, where a service can be started again and again. */
  readonly open: () => Promise<StatePlace>
}

export interface StatePlace extends AsyncDisposable {
  readonly start: Pick<StartOptions, 'directory' | 'env'>
}

type Running = RunningService<typeof shopCatalogue, object>

/**
 * What aggregates, processes, timers and scheduled events promise, on every store: with the real
 * relay and the real subscriptions, on a cluster in memory.
 */
export function stateConformance({ name, open }: StateConformanceOptions): void {
  const withShop = (title: string, run: (shop: Shop) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using place = await open()
      await using shop = new Shop(place)
      await run(shop)
    })

  withShop(
    'versions have no gaps and no doubles, whoever writes at the same time',
    async (shop) => {
      const running = await shop.start()
      const writers = ['a', 'b', 'c', 'd']
      const notes = writers.flatMap((by) => Array.from({ length: 5 }, (_, n) => `${by}${n}`))
      const outcomes = await Promise.all(
        notes.map((by) =>
          running.transaction(({ aggregate }) =>
            aggregate(order, '1').handle({ kind: 'note', by }),
          ),
        ),
      )
      const accepted = outcomes.filter(({ kind }) => kind === 'accepted')
      const stream = await readStream(running.read, { aggregate: order, id: '1' })
      assert.deepEqual(
        stream.map(({ version }) => version),
        accepted.map((_, index) => index + 1),
      )
      const { state } = await readAggregate(running.read, { aggregate: order, id: '1' })
      assert.equal(new Set(state.notes).size, accepted.length)
      assert(accepted.length >= writers.length)
    },
  )

  withShop('of two that expect the same version one is accepted', async (shop) => {
    const running = await shop.start()
    const outcomes = await Promise.all(
      ['a', 'b'].map((by) =>
        running.transaction(({ aggregate }) =>
          aggregate(order, '1').handle({ kind: 'note', by }, { expectedVersion: 0 }),
        ),
      ),
    )
    assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['accepted', 'conflict'])
  })

  withShop('a crash between decision and commit stores nothing and says nothing', async (shop) => {
    const running = await shop.start()
    const crashed = running.transaction(async ({ aggregate }) => {
      await aggregate(order, '1').handle({ kind: 'place' })
      throw new Error('crash')
    })
    await assert.rejects(crashed, /crash/)
    const place = () =>
      running.transaction(({ aggregate }) => aggregate(order, '1').handle({ kind: 'place' }))
    assert.equal((await place()).kind, 'accepted')
    assert.equal((await place()).kind, 'rejected')
    await until(async () => shop.said('order.placed') === 1)
  })

  withShop('events of a process that come over two topics at once are all heard', async (shop) => {
    const running = await shop.start()
    const ids = Array.from({ length: 20 }, (_, n) => `order-${n}`)
    for (const id of ids) await shop.tell(['stock.reserved', 'payment.made'], id)
    await until(async () => shop.said('order.confirmed') === ids.length)
    for (const id of ids) {
      const process = await readProcess(running.read, shop.checkout, id)
      assert.equal(process?.status, 'ended')
      assert.deepEqual([...process.state.heard].sort(), ['payment', 'stock'])
      assert.deepEqual(process.timers, [])
    }
    assert.equal(shop.said('stock.release.asked'), 0)
  })

  withShop(
    'a timer that becomes due while nobody runs fires at the next start, once',
    async (shop) => {
      await shop.start({ waitMs: 100 })
      await shop.tell(['stock.reserved'], '1')
      await shop.untilProcess('1', ({ timers }) => timers.length === 1)
      await shop.stop()
      await setTimeout(100)
      assert.equal(shop.said('stock.release.asked'), 0)
      await shop.start({ waitMs: 100 })
      await shop.untilProcess('1', ({ status }) => status === 'ended')
      await until(async () => shop.said('order.cancelled') === 1)
      assert.equal(shop.said('stock.release.asked'), 1)
      await shop.tell(['payment.made'], '1')
      await until(async () => shop.said('payment.refund.asked') === 1)
    },
  )

  withShop(
    'an event for later is said once over a restart, and not if it is taken back',
    async (shop) => {
      const running = await shop.start()
      const remind = (orderId: string, scheduleId: string) =>
        running.transaction(({ publish }) =>
          publish('order.reminded', { payload: { orderId } }, { afterMs: 100, scheduleId }),
        )
      await remind('1', 'kept')
      await remind('2', 'taken back')
      const cancel = (scheduleId: string) => (on: Running) =>
        on.transaction((context) => context.cancel(scheduleId))
      assert.deepEqual(await cancel('taken back')(running), { kind: 'cancelled' })
      await shop.stop()
      const again = await shop.start()
      await until(async () => shop.said('order.reminded') === 1)
      assert.deepEqual(await cancel('kept')(again), { kind: 'fired' })
      assert.deepEqual(await cancel('never')(again), { kind: 'unknown' })
      await shop.stop()
      await shop.start()
      assert.equal(shop.said('order.reminded'), 1)
    },
  )
}

/** A service on a store of its own and a cluster in memory that outlives its restarts. */
class Shop implements AsyncDisposable {
  readonly #place: StatePlace
  readonly #cluster = new MemoryCluster(systemClock)
  #running: Running | null = null
  checkout = shopService('shop').checkout

  constructor(place: StatePlace) {
    this.#place = place
  }

  async start(options: { readonly waitMs?: number } = {}): Promise<Running> {
    const { definition, checkout } = shopService('shop', options)
    this.checkout = checkout
    this.#running = await startService(definition, {
      ...this.#place.start,
      transport: openMemory(this.#cluster, systemClock),
      log: silentLog,
      announces: false,
    })
    return this.#running
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#running = null
  }

  /** Publishes events about an order, in one transaction. */
  async tell(
    names: readonly ('stock.reserved' | 'payment.made')[],
    orderId: string,
  ): Promise<void> {
    await this.#running?.transaction(async ({ publish }) => {
      for (const event of names) await publish(event, { payload: { orderId } })
    })
  }

  /** How many records a topic has. */
  said(topic: string): number {
    const partitions = shopCatalogue.topics.find((request) => request.topic === topic)?.partitions
    return Array.from({ length: partitions ?? 0 }, (_, partition) => partition)
      .map((partition) => this.#cluster.read({ topic, partition }, 0n, 1_000).length)
      .reduce((sum, count) => sum + count, 0)
  }

  async untilProcess(id: string, isThere: (process: Seen) => boolean): Promise<void> {
    await until(async () => {
      if (this.#running === null) return false
      const process = await readProcess(this.#running.read, this.checkout, id)
      return process !== null && isThere(process)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.#cluster[Symbol.dispose]()
  }
}

interface Seen {
  readonly status: string
  readonly timers: readonly string[]
}

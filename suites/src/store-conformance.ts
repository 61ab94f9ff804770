import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Clock, type KitTables, ManualClock, type Store } from '@millrace/kit'
import { type Database, hasCode, idsIn, write } from './effect-rows.ts'
import { sharingConformance } from './sharing-conformance.ts'

export interface StoreConformanceOptions {
  /** Names the store in the names of the tests. */
  readonly name: string
  /** A new, empty store; the suite closes it. */
  readonly open: (clock: Clock) => Promise<Store<KitTables>>
  /** Transactions that may be open at once; the next one waits. */
  readonly writersMax: number
}

/**
 * What every store promises, whatever database it is. The tests write effects, a table that
 * every store has.
 */
export function storeConformance(options: StoreConformanceOptions): void {
  const { name, open, writersMax } = options
  sharingConformance(options)
  const withStore = (
    title: string,
    run: (store: Store<KitTables>, clock: ManualClock) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async () => {
      const clock = new ManualClock()
      await using store = await open(clock)
      await run(store, clock)
    })

  withStore('what a transaction wrote can be read after it, and not before', async (store) => {
    await store.transaction('write', async (db) => {
      await write(db, 'a')
      assert.deepEqual(await idsIn(db), ['a'])
      assert.deepEqual(await idsIn(store.read), [])
    })
    assert.deepEqual(await idsIn(store.read), ['a'])
  })

  withStore('a transaction whose work throws writes nothing and throws the same', async (store) => {
    const wrong = new Error('wrong')
    const failed = store.transaction('write', async (db) => {
      await write(db, 'a')
      throw wrong
    })
    await assert.rejects(failed, (error) => error === wrong)
    assert.deepEqual(await idsIn(store.read), [])
  })

  withStore('transactions begun together that change one row all count', async (store) => {
    await store.transaction('write', (db) => write(db, 'counter'))
    const count = () =>
      store.transaction('count', async (db) => {
        await db
          .updateTable('millrace_effects')
          .set((eb) => ({ done_at_ms: eb('done_at_ms', '+', 1) }))
          .execute()
      })
    await Promise.all(Array.from({ length: 20 }, count))
    const row = await store.read
      .selectFrom('millrace_effects')
      .select('done_at_ms')
      .executeTakeFirst()
    assert.equal(row?.done_at_ms, 20)
  })

  withStore('a transaction gives back what its work returns', async (store) => {
    assert.equal(await store.transaction('answer', async () => 42), 42)
  })

  withStore('of transactions begun together, a failing one undoes only its own', async (store) => {
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((id) =>
        store.transaction(id, async (db) => {
          await write(db, id)
          await setImmediate() // the others ask for the writer meanwhile
          await write(db, `${id}2`)
          if (id === 'b') throw new Error('b fails')
        }),
      ),
    )
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    assert.deepEqual(await idsIn(store.read), ['a', 'a2', 'c', 'c2', 'd', 'd2'])
  })

  withStore('a query that breaks a constraint leaves its transaction usable', async (store) => {
    await store.transaction('write', async (db) => {
      await write(db, 'a')
      await assert.rejects(write(db, 'a'))
      await write(db, 'b')
    })
    assert.deepEqual(await idsIn(store.read), ['a', 'b'])
  })

  withStore('a scope opens at its first query, and not before', async (store) => {
    const order: string[] = []
    const scope = store.scope({
      name: 'scope',
      opened: async () => void order.push('opened'),
      closing: async () => void order.push('closing'),
    })
    await setImmediate()
    assert.deepEqual([scope.isOpen, order], [false, []])
    order.push('query')
    await write(scope.db, 'a')
    assert.deepEqual([scope.isOpen, order], [true, ['query', 'opened']])
    await scope.commit()
    assert.deepEqual([scope.isOpen, order], [false, ['query', 'opened', 'closing']])
  })

  withStore('a scope without a query opens and closes at its commit', async (store) => {
    const scope = store.scope({
      name: 'scope',
      opened: (db) => write(db, 'inbox'),
      closing: (db) => write(db, 'outbox'),
    })
    await scope.commit()
    assert.deepEqual(await idsIn(store.read), ['inbox', 'outbox'])
  })

  withStore('queries begun at once all run after what opens the scope', async (store) => {
    const scope = store.scope({
      name: 'scope',
      async opened(db) {
        assert.deepEqual(await idsIn(db), [])
        await setImmediate()
        await write(db, 'first')
      },
    })
    const seen = await Promise.all([idsIn(scope.db), idsIn(scope.db)])
    assert.deepEqual(seen, [['first'], ['first']])
    await scope.rollback()
  })

  withStore('an error of opened is what the query and the commit throw', async (store) => {
    const duplicate = new Error('duplicate')
    const isDuplicate = (error: unknown) => error === duplicate
    const scope = store.scope({
      name: 'scope',
      async opened(db) {
        await write(db, 'a')
        throw duplicate
      },
    })
    await assert.rejects(write(scope.db, 'b'), isDuplicate)
    await assert.rejects(scope.commit(), isDuplicate)
    assert.deepEqual(await idsIn(store.read), [])
  })

  withStore('an error of closing undoes the whole scope', async (store) => {
    const unsayable = new Error('unsayable')
    const scope = store.scope({
      name: 'scope',
      async closing() {
        throw unsayable
      },
    })
    await write(scope.db, 'a')
    await assert.rejects(scope.commit(), (error) => error === unsayable)
    assert.deepEqual(await idsIn(store.read), [])
  })

  for (const end of ['commit', 'rollback'] as const) {
    withStore(`after ${end} a late query throws, and reaches no other scope`, async (store) => {
      const scope = store.scope({ name: 'over' })
      await write(scope.db, 'a')
      await scope[end]()
      const next = store.scope({ name: 'next' })
      await next.open()
      await assert.rejects(write(scope.db, 'late'), hasCode('transaction-closed'))
      await next.commit()
      assert.deepEqual(await idsIn(store.read), end === 'commit' ? ['a'] : [])
    })
  }

  withStore('a rollback while the scope waits for the writer gives its turn up', async (store) => {
    const first = store.scope({ name: 'first' })
    await first.open()
    const second = store.scope({ name: 'second' })
    const waiting = assert.rejects(write(second.db, 'second'), hasCode('transaction-closed'))
    await second.rollback()
    const third = store.transaction('third', (db) => write(db, 'third'))
    await first.commit()
    await Promise.all([waiting, third])
    assert.deepEqual(await idsIn(store.read), ['third'])
  })

  withStore(
    'a scope held for 5 s is rolled back and named, and the next goes on',
    async (store, clock) => {
      const slow = store.scope({ name: 'slow handler' })
      await write(slow.db, 'slow')
      const next = store.transaction('next', (db) => write(db, 'next'))
      await clock.advance(4_999)
      assert.equal(slow.isOpen, true)
      await clock.advance(1)
      await next
      const isTooLong = (error: unknown) =>
        hasCode('transaction-too-long')(error) && String(error).includes('"slow handler"')
      await assert.rejects(write(slow.db, 'late'), isTooLong)
      await assert.rejects(slow.commit(), isTooLong)
      assert.deepEqual(await idsIn(store.read), ['next'])
    },
  )

  withStore('waiting for the writer does not count as holding it', async (store, clock) => {
    const slow = Array.from({ length: writersMax }, () => store.scope({ name: 'slow' }))
    await Promise.all(slow.map((scope) => scope.open()))
    await clock.advance(4_000)
    const patient = store.scope({ name: 'patient' })
    const opened = patient.open()
    await clock.advance(1_000) // all are over; patient has waited for a second
    await opened
    await clock.advance(4_500)
    await write(patient.db, 'patient')
    await patient.commit()
    assert.deepEqual(await idsIn(store.read), ['patient'])
  })

  for (const hook of ['opened', 'closing'] as const) {
    withStore(
      `${hook} that outlasts the time writes nothing, not even late`,
      async (store, clock) => {
        let proceed = () => {}
        const paused = new Promise<void>((resolve) => {
          proceed = resolve
        })
        const late: unknown[] = []
        const scope = store.scope({
          name: 'slow',
          async [hook](db: Database) {
            await write(db, 'early')
            await paused
            await write(db, 'late').catch((error: unknown) => late.push(error))
          },
        })
        const committed = assert.rejects(scope.commit(), hasCode('transaction-too-long'))
        await clock.advance(5_000)
        const next = store.scope({ name: 'next' })
        await next.open()
        proceed()
        await committed
        assert.equal(late.length, 1)
        await next.commit()
        assert.deepEqual(await idsIn(store.read), [])
      },
    )
  }

  withStore('a transaction inside a transaction is refused by name', async (store) => {
    await store.transaction('outer', async (db) => {
      await db.selectFrom('millrace_effects').selectAll().execute()
      const inner = store.transaction('inner', async () => {})
      await assert.rejects(inner, hasCode('transaction-nested'))
    })
  })

  withStore('no timer is left behind', async (store, clock) => {
    await store.transaction('a', (db) => write(db, 'a'))
    const scope = store.scope({ name: 'b' })
    await scope.open()
    await scope.rollback()
    assert.equal(clock.timers, 0)
  })

  withStore('a closed store finishes what runs and refuses what comes', async (store) => {
    const running = store.transaction('running', async (db) => {
      await write(db, 'a')
      await setImmediate()
      await write(db, 'b')
    })
    await setImmediate()
    const closing = store[Symbol.asyncDispose]()
    const late = store.transaction('late', (db) => write(db, 'late'))
    await assert.rejects(late, hasCode('service-stopped'))
    await Promise.all([running, closing])
    await assert.rejects(idsIn(store.read), hasCode('service-stopped'))
  })
}

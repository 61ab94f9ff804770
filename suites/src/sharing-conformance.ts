import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  isUniqueViolation,
  type KitTables,
  ManualClock,
  type Scope,
  type Store,
  type UndoneBy,
} from '@millrace/kit'
import { sql } from 'kysely'
import { type Database, idsIn, write } from './effect-rows.ts'
import type { StoreConformanceOptions } from './store-conformance.ts'

/** What holds of scopes that may share a transaction, whether or not the store makes them. */
export function sharingConformance({ name, open }: StoreConformanceOptions): void {
  const withStore = (title: string, run: (store: Store<KitTables>) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using store = await open(new ManualClock())
      await run(store)
    })

  withStore('scopes that share are all committed, each once', async (store) => {
    const ids = Array.from({ length: 120 }, (_, number) => String(1_000 + number))
    await Promise.all(ids.map((id) => perform(store, (scope) => write(scope.db, id))))
    assert.deepEqual(await idsIn(store.read), ids)
  })

  const failures: Record<string, (db: Database) => Promise<unknown>> = {
    'an INSERT of a row that is there': (db) => write(db, 'taken'),
    'an UPDATE to a row that is there': (db) =>
      db.updateTable('millrace_effects').set({ event_id: 'taken', name: 'mail' }).execute(),
    'a DELETE of what is no table': (db) => sql`delete from nothing`.execute(db),
    'a SELECT of what is no column': (db) => sql`select nothing from millrace_effects`.execute(db),
    'a statement that is none': (db) => sql`perhaps`.execute(db),
    'an error of its own': () => Promise.reject(new Error('its own')),
  }
  for (const [failure, fail] of Object.entries(failures)) {
    withStore(`${failure} undoes its scope, and no other for good`, async (store) => {
      await store.transaction('before', (db) => write(db, 'taken'))
      const culprit = perform(store, async ({ db }) => {
        await write(db, 'culprit')
        await fail(db)
      })
      const innocents = ['a', 'b', 'c'].map((id) => perform(store, ({ db }) => write(db, id)))
      await assert.rejects(culprit)
      await Promise.all(innocents)
      assert.deepEqual(await idsIn(store.read), ['a', 'b', 'c', 'taken'])
    })
  }

  withStore(
    'queries at once, of which the first fails, leave nothing of the others',
    async (store) => {
      await store.transaction('before', (db) => write(db, 'taken'))
      const asked: Promise<unknown>[] = []
      const failing = store.transaction('many at once', async (db) => {
        for (const id of ['taken', 'a', 'b', 'c', 'd']) asked.push(write(db, id))
        await Promise.all(asked)
      })
      await assert.rejects(failing)
      await Promise.allSettled(asked)
      assert.deepEqual(await idsIn(store.read), ['taken'])
    },
  )

  withStore('one that goes on after a constraint is committed in the end', async (store) => {
    await store.transaction('before', (db) => write(db, 'taken'))
    const tolerant = perform(store, async ({ db }) => {
      await write(db, 'taken').catch((error: unknown) => assert(isUniqueViolation(error)))
      await write(db, 'z')
    })
    const others = ['a', 'b'].map((id) => perform(store, ({ db }) => write(db, id)))
    await Promise.all([tolerant, ...others])
    assert.deepEqual(await idsIn(store.read), ['a', 'b', 'taken', 'z'])
  })

  withStore('one that wrote nothing leaves, and nobody is undone', async (store) => {
    const undone: UndoneBy[] = []
    const leaving = perform(
      store,
      async ({ db }) => {
        await idsIn(db)
        throw new Error('it was handled before')
      },
      undone,
    )
    const others = ['a', 'b'].map((id) => perform(store, ({ db }) => write(db, id), undone))
    await assert.rejects(leaving)
    await Promise.all(others)
    assert.deepEqual(await idsIn(store.read), ['a', 'b'])
    assert.deepEqual(undone, [])
  })

  withStore('what one locks and then changes, no other changes between', async (store) => {
    await store.transaction('before', (db) => write(db, 'counter'))
    const count = ({ db }: Scope<KitTables>) => incrementByHand(db)
    await Promise.all(Array.from({ length: 20 }, () => perform(store, count)))
    assert.deepEqual(await countOf(store.read), 20)
  })

  withStore('no other sees what one has done by half', async (store) => {
    const seen: number[] = []
    const halves = async ({ db }: Scope<KitTables>) => {
      await write(db, 'first half')
      await setImmediate()
      await write(db, 'second half')
    }
    const look = async ({ db }: Scope<KitTables>) => {
      const { length } = await idsIn(db)
      await write(db, 'looked')
      return void seen.push(length)
    }
    await Promise.all([perform(store, halves), perform(store, look)])
    // What it saw in a run that was undone does not count.
    assert([0, 2].includes(seen.at(-1) ?? -1), `it saw ${seen.join(', ')}`)
  })
}

/**
 * Runs work as a delivery does: once more where its transaction was undone with a neighbour's,
 * and alone where that may have been its own doing.
 */
async function perform(
  store: Store<KitTables>,
  work: (scope: Scope<KitTables>) => Promise<unknown>,
  undone: UndoneBy[] = [],
): Promise<void> {
  for (let isAlone = false; ; ) {
    const scope = store.scope({ name: 'event', ...(isAlone ? {} : { shared: 'events' }) })
    try {
      await work(scope)
      await scope.commit()
      return
    } catch (error) {
      await scope.rollback()
      if (scope.undone === null) throw error
      undone.push(scope.undone.by)
      isAlone = scope.undone.by === 'itself'
    }
  }
}

/** Takes the row's lock by a change of nothing, waits, and relies on it. */
async function incrementByHand(db: Database): Promise<void> {
  const { done_at_ms } = await db
    .updateTable('millrace_effects')
    .set({ person: '' })
    .where('event_id', '=', 'counter')
    .returning('done_at_ms')
    .executeTakeFirstOrThrow()
  await setImmediate()
  await db
    .updateTable('millrace_effects')
    .set({ done_at_ms: done_at_ms + 1 })
    .where('event_id', '=', 'counter')
    .execute()
}

async function countOf(db: Database): Promise<number | undefined> {
  const row = await db.selectFrom('millrace_effects').select('done_at_ms').executeTakeFirst()
  return row?.done_at_ms
}

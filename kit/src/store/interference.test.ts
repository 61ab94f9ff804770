import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import { Interference } from './interference.ts'

interface Tables {
  accounts: { id: number; owner: string; balance: number }
  entries: { account: number; amount: number }
}

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const read = (id: number) => db.selectFrom('accounts').selectAll().where('id', '=', id).compile()
const readAll = db.selectFrom('accounts').selectAll().compile()
const readOwner = (owner: string) =>
  db.selectFrom('accounts').selectAll().where('owner', '=', owner).compile()
const lock = (id: number) =>
  db.selectFrom('accounts').selectAll().where('id', '=', id).forUpdate().compile()
const change = (id: number) =>
  db.updateTable('accounts').set({ balance: 1 }).where('id', '=', id).compile()
const give = (id: number, owner: string) =>
  db.updateTable('accounts').set({ owner }).where('id', '=', id).compile()
const changeOf = (owner: string) =>
  db
    .updateTable('accounts')
    .set({ balance: 1 })
    .where((is) => is.and([is('owner', '=', owner), is('balance', '>', 0)]))
    .compile()
const remove = (id: number) => db.deleteFrom('accounts').where('id', '=', id).compile()
const enter = (account: number) => db.insertInto('entries').values({ account, amount: 1 }).compile()
const open = (id: number) =>
  db.insertInto('accounts').values({ id, owner: 'ann', balance: 0 }).compile()
const openOrChange = (id: number) =>
  db
    .insertInto('accounts')
    .values({ id, owner: 'ann', balance: 0 })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ balance: 1 }))
    .compile()
const joined = db
  .selectFrom('entries')
  .innerJoin('accounts', 'accounts.id', 'entries.account')
  .selectAll()
  .compile()
const raw = sql`select pg_advisory_xact_lock(1)`.compile(db)
const rawWithin = db
  .selectFrom('entries')
  .select(sql<number>`(select count(*) from accounts)`.as('count'))
  .compile()
const counted = db.selectFrom('entries').select(sql<number>`count(*)`.as('count')).compile()

/** What one does, what another does then, and whether the one may go on. */
const cases: readonly [string, CompiledQuery, CompiledQuery, boolean][] = [
  ['a read keeps nobody away', read(1), change(1), true],
  ['a change of one row, of another', change(1), change(2), true],
  ['a change of one row, of the same', change(1), change(1), false],
  ['a change, and a read of the row', change(1), read(1), false],
  ['a change, and a read of another row', change(1), read(2), true],
  ['a change, and a read of all', change(1), readAll, false],
  ['a change, and a read by another column', change(1), readOwner('ann'), false],
  ['a lock, and a read', lock(1), read(1), true],
  ['a lock, and a lock', lock(1), lock(1), false],
  ['a lock, and a lock of another row', lock(1), lock(2), true],
  ['a change of two conditions', changeOf('ann'), changeOf('bob'), true],
  ['a change of a text in another case', changeOf('ann'), changeOf('ANN'), false],
  ['a change of the column that tells them apart', give(1, 'bob'), changeOf('bob'), false],
  ['a removal, and a change', remove(1), change(1), false],
  ['rows that are made beside each other', open(1), open(2), true],
  ['a new row, and a read of it', open(1), read(1), false],
  ['a new row, and a read of another', open(1), read(2), true],
  ['a new row, and a change by its owner', open(1), changeOf('ann'), false],
  ['an upsert, and another of the row', openOrChange(1), openOrChange(1), false],
  ['a change, and a row in another table', change(1), enter(1), true],
  ['a change, and a join with its table', change(1), joined, false],
  ['raw SQL may lock anything', raw, enter(1), false],
  ['raw SQL may lock anything, and meet a change', raw, change(1), false],
  ['raw SQL after a change', change(1), raw, false],
  ['raw SQL within a query may read anything', change(1), rawWithin, false],
  ['raw SQL within a query that names no table', change(1), counted, true],
]

for (const [title, mine, theirs, mayGoOn] of cases) {
  test(`${title}: the first may ${mayGoOn ? '' : 'not '}go on`, () => {
    const interference = new Interference()
    const me = {}
    const other = {}
    assert.equal(interference.admit(me, mine), true)
    assert.equal(interference.admit(other, theirs), true)
    assert.equal(interference.admit(me, enter(9)), mayGoOn)
  })
}

test('what another did before the first change is no interference', () => {
  const interference = new Interference()
  const me = {}
  assert.equal(interference.admit({}, change(1)), true)
  assert.equal(interference.admit(me, change(1)), true)
  assert.equal(interference.admit(me, enter(1)), true)
})

test('a second change counts as well as the first', () => {
  const interference = new Interference()
  const me = {}
  interference.admit(me, change(1))
  interference.admit(me, change(2))
  interference.admit({}, read(2))
  assert.equal(interference.admit(me, enter(1)), false)
})

test('what another did between two changes touches only the first', () => {
  const interference = new Interference()
  const me = {}
  interference.admit(me, change(1))
  interference.admit({}, change(2))
  interference.admit(me, change(2))
  assert.equal(interference.admit(me, enter(1)), true)
})

// S1 where promises cross: queries that were begun before their scope ended, and come after.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Kysely,
  PostgresAdapter,
  sql,
} from 'kysely'
import type { KitTables } from './kit-tables.ts'
import { PortablePostgresCompiler } from './postgres-compiler.ts'
import { SavingConnection } from './saving-connection.ts'
import type { TakenTurn } from './turn.ts'
import { TurnScope } from './turn-scope.ts'

/** A scope whose turn writes down what was sent, and when it ended. */
function turn() {
  const sent: string[] = []
  const connection: DatabaseConnection = {
    async executeQuery({ sql: text }: CompiledQuery) {
      sent.push(text)
      return { rows: [] }
    },
    async *streamQuery() {},
  }
  const end = async (): Promise<void> => void sent.push('the end')
  const taken: TakenTurn = {
    turn: { isHeld: true, keep: end, drop: end },
    connection,
    hooksConnection: connection,
  }
  const scope = new TurnScope({
    name: 'a test',
    heldMsMax: 1,
    take: async () => taken,
    executor: new DefaultQueryExecutor(new PortablePostgresCompiler(), new PostgresAdapter(), {
      provideConnection: (use) => use(connection),
    }),
  })
  return { sent, scope }
}

const ask = (db: Kysely<KitTables>, text: string) => sql.raw(text).execute(db)

/** Lets exactly so many microtasks pass. */
async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await Promise.resolve()
}

for (const how of ['commit', 'rollback'] as const) {
  test(`no query is sent after a ${how}, however closely it came before it`, async () => {
    for (let apart = 0; apart < 30; apart += 1) {
      const { sent, scope } = turn()
      await ask(scope.db, 'first')
      const late = ask(scope.db, 'late').catch(() => 'refused')
      await microtasks(apart)
      await scope[how]()
      await late
      assert.equal(sent.at(-1), 'the end', `${apart} microtasks after it was asked`)
    }
  })
}

/** Answers in its order, when it is told to. */
function slowConnection() {
  const sent: string[] = []
  const answers: { readonly ok: () => void; readonly fail: () => void }[] = []
  const run = (text: string): Promise<string> => {
    sent.push(text)
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    answers.push({ ok: () => resolve('DONE'), fail: () => reject(new Error('it failed')) })
    return promise
  }
  const executeQuery = async ({ sql: text }: CompiledQuery) => {
    await run(text)
    return { rows: [] }
  }
  return { sent, answers, run, executeQuery }
}

const query = (text: string): CompiledQuery => CompiledQuery.raw(text)

test('a query that waits behind another one is not sent once its transaction is over', async () => {
  const { sent, answers, run, executeQuery } = slowConnection()
  let isHeld = true
  const saving = new SavingConnection({ run, executeQuery }, () => isHeld)
  const first = saving.executeQuery(query('first'))
  const second = saving.executeQuery(query('second'))
  await microtasks(10)
  isHeld = false
  for (const { ok } of answers) ok()
  await first
  await assert.rejects(second, /await every query/)
  assert.deepEqual(sent, ['savepoint query', 'first'])
})

test('a query that fails after its transaction takes back nothing of the next one', async () => {
  const { sent, answers, run, executeQuery } = slowConnection()
  let isHeld = true
  const saving = new SavingConnection({ run, executeQuery }, () => isHeld)
  const first = saving.executeQuery(query('first'))
  await microtasks(10)
  isHeld = false
  for (const { fail } of answers) fail()
  await assert.rejects(first, /it failed/)
  assert.deepEqual(sent, ['savepoint query', 'first'])
})

import { defineCatalogue, defineTables, event, service } from '@millrace/kit'
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'

/**
 * What the chaos plays: entries of accounts, numbered in the transaction that says them, so that
 * their numbers are the order of their commits. What is entered is heard, written down, said on,
 * heard again and written down again.
 */
const ledgerCatalogue = defineCatalogue(
  'ledger',
  {
    'ledger.entered': event({
      version: '1.0',
      key: ({ payload }) => payload.account,
      payload: z.object({ account: z.int(), number: z.int() }),
    }),
    'ledger.noted': event({
      version: '1.0',
      key: ({ payload }) => payload.account,
      payload: z.object({ account: z.int(), number: z.int() }),
    }),
  },
  { partitions: 6 },
)

export interface LedgerTables {
  accounts: { account: number; said: number }
  /** What was heard of `ledger.entered` and of `ledger.noted`, in the order in which it was. */
  heard: { id: number; topic: string; account: number; number: number }
}

/** Made by hand, because only PostgreSQL runs it: a number that grows with each row. */
const ledgerTables = defineTables<LedgerTables>({
  '001 ledger': async (db) => {
    await sql`create table accounts (account bigint primary key, said bigint not null)`.execute(db)
    await sql`create table heard (id bigint generated always as identity primary key,
      topic text not null, account bigint not null, number bigint not null)`.execute(db)
  },
})

/** One event in so many has an effect outside the database. */
const effectEvery = 5

/** A handler that takes its time now and then is at work when its instance dies. */
const slowEvery = 50
const slowMs = 20

export const ledger = service('ledger', { catalogue: ledgerCatalogue, tables: ledgerTables })
  .with(({ env }) => ({ bell: env['BELL_URL'] ?? '' }))
  .on('ledger.entered', async ({ payload }, { db, publish, effect, resources, signal }) => {
    const { account, number } = payload
    if (number % slowEvery === 0) await new Promise((resolve) => setTimeout(resolve, slowMs))
    if (number % effectEvery === 0) {
      await effect('bell', async (key) => {
        const rung = await fetch(`${resources.bell}/${encodeURIComponent(key)}`, { signal })
        if (!rung.ok) throw new Error(`the bell says ${rung.status}`)
      })
    }
    await write(db, 'entered', payload)
    await publish('ledger.noted', { payload: { account, number } })
  })
  .on('ledger.noted', ({ payload }, { db }) => write(db, 'noted', payload))

async function write(
  db: Transaction<LedgerTables>,
  topic: string,
  { account, number }: { readonly account: number; readonly number: number },
): Promise<void> {
  await sql`insert into heard (topic, account, number) values (${topic}, ${account}, ${number})`.execute(
    db,
  )
}

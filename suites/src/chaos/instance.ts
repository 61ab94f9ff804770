// The process that the chaos kills: one instance of the ledger, which also says entries until there
// are as many as wanted. Arguments: how many, and of how many accounts. It ends when the test that
// started it is gone.
import { startService } from '@millrace/kit'
import { sql } from 'kysely'
import { ledger } from './ledger.ts'

process.on('disconnect', () => process.exit())

const [events = 0, accounts = 1] = process.argv.slice(2).map(Number)

/** Transactions at once. */
const writers = 6

await using running = await startService(ledger, { directory: process.cwd() })
process.send?.('ready')

/** Says one entry of an account drawn by chance. */
async function enter(): Promise<void> {
  const account = Math.floor(Math.random() * accounts)
  await running.transaction(async ({ db, publish }) => {
    const { rows } = await sql<{ said: number }>`
      insert into accounts (account, said) values (${account}, 1)
      on conflict (account) do update set said = accounts.said + 1 returning said`.execute(db)
    await publish('ledger.entered', { payload: { account, number: Number(rows[0]?.said) } })
  })
}

async function said(): Promise<number> {
  const { rows } = await sql<{ said: number }>`
    select coalesce(sum(said), 0)::bigint as said from accounts`.execute(running.read)
  return Number(rows[0]?.said)
}

async function write(): Promise<void> {
  while ((await said()) < events) {
    for (let count = 0; count < 10; count++) {
      // A database or an outbox that says no for a moment is asked again: that is the user's part.
      await enter().catch(() => new Promise((resolve) => setTimeout(resolve, 50)))
    }
  }
}

await Promise.all(Array.from({ length: writers }, write))
await new Promise(() => {}) // What is said is heard until it is killed.

// What is counted of an event: every event once by its type, and some of them by what they say.
import type { HandlerContext } from '@millrace/kit'
import { sql, type Transaction } from 'kysely'
import type { Dreamscape, Heard, Name } from '../../catalogue.ts'
import type { AnalyticsTables } from './tables.ts'

type Context = HandlerContext<Dreamscape, AnalyticsTables>
type Db = Transaction<AnalyticsTables>

export async function count(
  { eventType }: Heard<Name>,
  { db }: Pick<Context, 'db'>,
): Promise<void> {
  await db
    .insertInto('counts')
    .values({ eventType, count: 1 })
    .onConflict((conflict) =>
      conflict.column('eventType').doUpdateSet({ count: sql`counts.count + 1` }),
    )
    .execute()
}

export async function countView(event: Heard<'analytics.page.view'>, context: Context) {
  await count(event, context)
  await context.db
    .insertInto('pages')
    .values({ path: event.payload.path, views: 1 })
    .onConflict((conflict) => conflict.column('path').doUpdateSet({ views: sql`pages.views + 1` }))
    .execute()
}

export async function addReceived(event: Heard<'payment.completed'>, context: Context) {
  await count(event, context)
  await addMoney(context.db, 'received', event.payload.amountCents)
}

type Returned = Heard<'payment.refunded'> | Heard<'payment.partial.refund'>

export async function addReturned(event: Returned, context: Context) {
  await count(event, context)
  await addMoney(context.db, 'returned', event.payload.amountCents)
}

async function addMoney(db: Db, what: 'received' | 'returned', cents: number): Promise<void> {
  await db
    .insertInto('money')
    .values({ what, cents })
    .onConflict((conflict) =>
      conflict.column('what').doUpdateSet({ cents: sql`money.cents + ${cents}` }),
    )
    .execute()
}

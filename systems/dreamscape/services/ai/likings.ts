// What people do tells what they like: points for each destination, as rows.
import { type Kysely, sql, type Transaction } from 'kysely'
import { pointsMax } from '../../limits.ts'
import type { AiTables } from './tables.ts'

/** What each doing counts. */
export const pointsOf = { view: 1, search: 1, selection: 2, interest: 3, booking: 5 } as const

export interface Doing {
  readonly userId: string
  /** Null: it was about no destination. */
  readonly destination: string | null
  readonly points: number
}

export interface Liking {
  readonly destination: string
  readonly points: number
}

export async function like(db: Transaction<AiTables>, doing: Doing): Promise<void> {
  const { userId, destination, points } = doing
  if (destination === null) return
  await db
    .insertInto('likings')
    .values({ userId, destination, points })
    .onConflict((conflict) =>
      conflict.columns(['userId', 'destination']).doUpdateSet({
        points: sql`case when likings.points > ${pointsMax} then ${pointsMax}
          else likings.points + ${points} end`,
      }),
    )
    .execute()
}

/** Of one person, the most liked first. */
export function likingsOf(db: Kysely<AiTables>, userId: string): Promise<readonly Liking[]> {
  return db
    .selectFrom('likings')
    .select(['destination', 'points'])
    .where('userId', '=', userId)
    .orderBy('points', 'desc')
    .orderBy('destination')
    .execute()
}

/** What everybody likes, the most liked first. */
export function likingsOfAll(db: Kysely<AiTables>): Promise<readonly Liking[]> {
  return db
    .selectFrom('likings')
    .select(({ fn }) => ['destination', fn.sum<number>('points').as('points')])
    .groupBy('destination')
    .orderBy('points', 'desc')
    .orderBy('destination')
    .execute()
}

export async function forget(db: Transaction<AiTables>, userId: string): Promise<void> {
  await db.deleteFrom('likings').where('userId', '=', userId).execute()
  await db.deleteFrom('recommendations').where('userId', '=', userId).execute()
}

// Teams and who is in them, as rows.
import type { Kysely, Transaction } from 'kysely'
import { teamMembersMax } from '../../limits.ts'
import type { TaskTables } from './tables.ts'

export interface Team {
  readonly teamId: number
  readonly name: string
  /** User ids, lowest first. */
  readonly members: readonly number[]
}

/** Makes a team whose only member is its founder. */
export async function insertTeam(
  db: Transaction<TaskTables>,
  { name, founderId }: { name: string; founderId: number },
): Promise<Team> {
  const { teamId } = await db
    .insertInto('teams')
    .values({ name })
    .returning('teamId')
    .executeTakeFirstOrThrow()
  await db.insertInto('members').values({ teamId, userId: founderId }).execute()
  return { teamId, name, members: [founderId] }
}

export async function findTeam(db: Kysely<TaskTables>, teamId: number): Promise<Team | undefined> {
  const team = await db
    .selectFrom('teams')
    .selectAll()
    .where('teamId', '=', teamId)
    .executeTakeFirst()
  return team && { ...team, members: await findMembers(db, teamId) }
}

/** The teams of a user, oldest first. */
export function findTeamsOf(db: Kysely<TaskTables>, userId: number) {
  return db
    .selectFrom('teams')
    .innerJoin('members', 'members.teamId', 'teams.teamId')
    .select(['teams.teamId', 'teams.name'])
    .where('members.userId', '=', userId)
    .orderBy('teams.teamId')
    .execute()
}

export type AddOutcome = { readonly kind: 'added' } | { readonly kind: 'full' }

/** Adds a member; to add one twice changes nothing. */
export async function addMember(
  db: Transaction<TaskTables>,
  { teamId, members }: Team,
  userId: number,
): Promise<AddOutcome> {
  if (members.includes(userId)) return { kind: 'added' }
  if (members.length >= teamMembersMax) return { kind: 'full' }
  await db.insertInto('members').values({ teamId, userId }).execute()
  return { kind: 'added' }
}

async function findMembers(db: Kysely<TaskTables>, teamId: number): Promise<readonly number[]> {
  const members = await db
    .selectFrom('members')
    .select('userId')
    .where('teamId', '=', teamId)
    .orderBy('userId')
    .execute()
  return members.map(({ userId }) => userId)
}

import { type KitTables, MillraceError, type Store } from '@millrace/kit'

/** What the tests of stores write: rows of a table that every store has. */
export type Database = Store<KitTables>['read']

export async function write(db: Database, id: string): Promise<void> {
  const row = { group_name: 'group', event_id: id, name: 'mail', person: '', done_at_ms: 0 }
  await db.insertInto('millrace_effects').values(row).execute()
}

export async function idsIn(db: Database): Promise<string[]> {
  const rows = await db
    .selectFrom('millrace_effects')
    .select('event_id')
    .orderBy('event_id')
    .execute()
  return rows.map(({ event_id }) => event_id)
}

export function hasCode(code: MillraceError['code']): (error: unknown) => boolean {
  return (error) => error instanceof MillraceError && error.code === code
}

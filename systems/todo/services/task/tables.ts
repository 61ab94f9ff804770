import { defineTables } from '@millrace/kit'
import { type Generated, sql } from 'kysely'

export interface TaskTables {
  teams: { teamId: Generated<number>; name: string }
  members: { teamId: number; userId: number }
  tasks: {
    taskId: Generated<number>
    teamId: number
    creatorId: number
    assigneeId: number | null
    title: string
    /** 1 is done. SQLite has no booleans. */
    completed: number
  }
}

export const tables = defineTables<TaskTables>({
  '001 teams and members': async (db) => {
    await db.schema
      .createTable('teams')
      .addColumn('teamId', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('name', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('members')
      .addColumn('teamId', 'integer', (column) => column.notNull().references('teams.teamId'))
      .addColumn('userId', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('membersKey', ['teamId', 'userId'])
      .execute()
    await db.schema.createIndex('membersByUser').on('members').column('userId').execute()
  },
  '002 tasks': async (db) => {
    await db.schema
      .createTable('tasks')
      .addColumn('taskId', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('teamId', 'integer', (column) => column.notNull().references('teams.teamId'))
      .addColumn('creatorId', 'integer', (column) => column.notNull())
      .addColumn('assigneeId', 'integer')
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('completed', 'integer', (column) => column.notNull().defaultTo(sql`0`))
      .execute()
    await db.schema.createIndex('tasksByTeam').on('tasks').columns(['teamId', 'taskId']).execute()
  },
})

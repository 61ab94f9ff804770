import { createDeadLetters, type DeadLetterTables } from '../dead-letter/dead-letter-table.ts'
import { createEffects, type EffectTables } from '../effect.ts'
import { createInbox, type InboxTables } from '../inbox/inbox.ts'
import { createInstance, type InstanceTables } from '../inbox/instance-id.ts'
import { createOutbox, type OutboxTables } from '../outbox/outbox-tables.ts'
import type { MigrationTables } from './migrations.ts'
import type { Migrations } from './table-definitions.ts'

/** The kit's own tables, beside the service's. Each feature owns its own, in its own file. */
export interface KitTables
  extends MigrationTables,
    OutboxTables,
    EffectTables,
    InboxTables,
    InstanceTables,
    DeadLetterTables {}

/** Append, never change: a database remembers which it has seen. */
export const kitMigrations: Migrations<KitTables> = {
  '001 outbox': createOutbox,
  '002 effects': createEffects,
  '003 inbox': createInbox,
  '004 instance': createInstance,
  '005 dead letters': createDeadLetters,
}

import { createEffects, type EffectTables } from '../effect.ts'
import { createOutbox, type OutboxTables } from '../outbox/outbox-tables.ts'
import type { MigrationTables } from './migrations.ts'
import type { Migrations } from './table-definitions.ts'

/** The kit's own tables, beside the service's. Each feature owns its own, in its own file. */
export interface KitTables extends MigrationTables, OutboxTables, EffectTables {}

/** Append, never change: a database remembers which it has seen. */
export const kitMigrations: Migrations<KitTables> = {
  '001 outbox': createOutbox,
  '002 effects': createEffects,
}

import type { Migrations } from './table-definitions.ts'
import { type AggregateTables, createAggregates } from './tables/aggregates.ts'
import { createDeadLetters, type DeadLetterTables } from './tables/dead-letters.ts'
import { createEffects, type EffectTables } from './tables/effects.ts'
import { createInbox, type InboxTables } from './tables/inbox.ts'
import { createInstance, type InstanceTables } from './tables/instance.ts'
import { createJobs, type JobTables } from './tables/jobs.ts'
import type { MigrationTables } from './tables/migrations.ts'
import { createOutbox, type OutboxTables } from './tables/outbox.ts'
import { createPartitions, type PartitionTables } from './tables/partitions.ts'
import { createProcesses, type ProcessTables } from './tables/processes.ts'
import { createProjections, type ProjectionTables } from './tables/projections.ts'
import { createReplays, type ReplayTables } from './tables/replays.ts'
import { createSchedule, type ScheduleTables } from './tables/schedule.ts'

/** The kit's own tables, beside the service's. A file a feature, in `tables/`. */
export interface KitTables
  extends MigrationTables,
    OutboxTables,
    EffectTables,
    InboxTables,
    InstanceTables,
    DeadLetterTables,
    ScheduleTables,
    AggregateTables,
    ProcessTables,
    PartitionTables,
    ReplayTables,
    ProjectionTables,
    JobTables {}

/** Append, never change: a database remembers which it has seen. */
export const kitMigrations: Migrations<KitTables> = {
  '001 outbox': createOutbox,
  '002 effects': createEffects,
  '003 inbox': createInbox,
  '004 instance': createInstance,
  '005 dead letters': createDeadLetters,
  '006 schedule': createSchedule,
  '007 aggregates': createAggregates,
  '008 processes': createProcesses,
  '009 partitions': createPartitions,
  '010 replays': createReplays,
  '011 projections': createProjections,
  '012 jobs': createJobs,
}

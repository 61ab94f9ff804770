import type { AnyServiceDefinition, KitTables } from '@millrace/kit'
import { viewTables } from '@millrace/kit/inside'
import {
  type CompiledQuery,
  DefaultQueryExecutor,
  type Kysely,
  SqliteAdapter,
  SqliteQueryCompiler,
} from 'kysely'
import type { MemoryDatabase } from './memory-database.ts'

/** The table in which the simulator sees what handlers committed: a row for each run. */
export interface WitnessTables {
  simulated_runs: { number: number; event_id: string; subscription: string }
}

export const createWitness = `create table simulated_runs
  (number integer primary key autoincrement, event_id text not null, subscription text not null)`

export interface SaidEvent {
  readonly id: number
  readonly event_id: string
  readonly topic: string
  readonly key: string | null
}

export interface HeardEvent {
  readonly number: number
  readonly event_id: string
  readonly subscription: string
}

export interface RecordedEffect {
  readonly number: number
  readonly event_id: string
  readonly name: string
  readonly person: string
}

export interface PutAside {
  readonly event_id: string
  readonly subscription: string
  readonly state: string
  readonly reason: string
}

/** What is committed in one service's database, as the simulator reads it past all schedules. */
export class ServiceState {
  readonly definition: AnyServiceDefinition
  readonly database: MemoryDatabase
  readonly db: Kysely<KitTables & WitnessTables>
  #saidId = 0
  #heardNumber = 0
  #inboxNumber = 0
  #effectNumber = 0

  constructor(definition: AnyServiceDefinition, database: MemoryDatabase) {
    this.definition = definition
    this.database = database
    this.db = kyselyOn(database)
  }

  get name(): string {
    return this.definition.name
  }

  /** Events said since the last call. */
  said(): readonly SaidEvent[] {
    const { rows } = this.database.read<SaidEvent>({
      sql: queries.said,
      parameters: [this.#saidId],
    })
    this.#saidId = rows.at(-1)?.id ?? this.#saidId
    return rows
  }

  heard(): readonly HeardEvent[] {
    const statement = { sql: queries.heard, parameters: [this.#heardNumber] }
    const { rows } = this.database.read<HeardEvent>(statement)
    this.#heardNumber = rows.at(-1)?.number ?? this.#heardNumber
    return rows
  }

  /** Events that count as handled since the last call. */
  inbox(): readonly HeardEvent[] {
    const statement = { sql: queries.inbox, parameters: [this.#inboxNumber] }
    const { rows } = this.database.read<HeardEvent>(statement)
    this.#inboxNumber = rows.at(-1)?.number ?? this.#inboxNumber
    return rows
  }

  effects(): readonly RecordedEffect[] {
    const statement = { sql: queries.effects, parameters: [this.#effectNumber] }
    const { rows } = this.database.read<RecordedEffect>(statement)
    this.#effectNumber = rows.at(-1)?.number ?? this.#effectNumber
    return rows
  }

  unsent(): number {
    const { rows } = this.database.read<{ count: number }>({ sql: queries.unsent, parameters: [] })
    return rows[0]?.count ?? 0
  }

  putAside(): readonly PutAside[] {
    return this.database.read<PutAside>({ sql: queries.putAside, parameters: [] }).rows
  }

  /** The first letter of a key: only it may be handled. */
  headOf(stream: string, key: string): PutAside | null {
    const { rows } = this.database.read<PutAside>({ sql: queries.head, parameters: [stream, key] })
    return rows[0] ?? null
  }
}

const builder = viewTables<KitTables>({
  getExecutor: () =>
    new DefaultQueryExecutor(new SqliteQueryCompiler(), new SqliteAdapter(), {
      provideConnection: () => Promise.reject(new Error('these queries are only compiled')),
    }),
})

/** Written with Kysely, so that a change of the kit's tables is a compile error here. */
const queries = {
  said: builder
    .selectFrom('millrace_outbox')
    .select(['id', 'event_id', 'topic', 'key'])
    .where('id', '>', 0)
    .orderBy('id')
    .compile().sql,
  heard:
    'select number, event_id, subscription from simulated_runs where number > ? order by number',
  inbox: `select rowid as number, event_id, subscription from millrace_inbox
          where rowid > ? order by rowid`,
  effects: `select rowid as number, event_id, name, person from millrace_effects
            where rowid > ? order by rowid`,
  unsent: 'select count(*) as count from millrace_outbox where sent_cluster_id is null',
  putAside: builder
    .selectFrom('millrace_dead_letters')
    .select(['event_id', 'subscription', 'state', 'reason'])
    .compile().sql,
  head: `select event_id, subscription, state, reason from millrace_dead_letters
         where stream = ? and held_key = ? order by id limit 1`,
}

/** Reads what is committed, at once, as no schedule decides. */
function kyselyOn(database: MemoryDatabase): Kysely<KitTables & WitnessTables> {
  const connection = {
    executeQuery: async <Row>(query: CompiledQuery) => database.read<Row>(query),
    async *streamQuery<Row>(query: CompiledQuery) {
      yield database.read<Row>(query)
    },
  }
  const executor = new DefaultQueryExecutor(new SqliteQueryCompiler(), new SqliteAdapter(), {
    provideConnection: (use) => use(connection),
  })
  return viewTables<KitTables & WitnessTables>({ getExecutor: () => executor })
}

import { Client } from 'pg'
import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { postgresConnectMsMax, slotAnswerMsMax, slotSessionIdleMs } from '../limits.ts'
import { typeParsers } from '../store/postgres-types.ts'
import type { PostgresPlace } from '../store/postgres-url.ts'
import type { Roll } from './balance.ts'

export interface SlotSessionOptions {
  readonly place: PostgresPlace
  readonly schema: string
  readonly clock: Clock
  /** Another session sent this to the instances of the service. */
  readonly notified: (payload: string) => void
  /** The connection is gone, and with it every lock that it held. Called once. */
  readonly lost: (reason: string) => void
}

/**
 * One connection to PostgreSQL that stands for one instance: as long as it stands, so do the
 * session locks that it took. It is used for nothing else, and no business transaction waits for
 * it.
 *
 * E1. An answer that takes longer than `slotAnswerMsMax` ends it.
 * E2. The server ends it when it has heard nothing for `slotSessionIdleMs`, and frees the locks.
 *
 * The classes of the locks are the numbers of the service's own tables: `millrace_instance` for
 * the names of instances, `millrace_partitions` for slots. So two services in one database, or a
 * user's own locks, never meet them.
 */
export class SlotSession {
  readonly #client: Client
  readonly #options: SlotSessionOptions
  #state: 'opening' | 'open' | 'over' = 'opening'
  /** The server's number of this session. */
  #me = 0
  #channel = ''

  private constructor(client: Client, options: SlotSessionOptions) {
    this.#client = client
    this.#options = options
  }

  /** Throws what connecting throws. */
  static async open(options: SlotSessionOptions): Promise<SlotSession> {
    const { place, schema, notified } = options
    const client = new Client({
      connectionString: place.url,
      application_name: `${schema} slots`.slice(0, 63),
      connectionTimeoutMillis: postgresConnectMsMax,
      keepAlive: true,
      pipeline: true,
      types: typeParsers,
    })
    const session = new SlotSession(client, options)
    client.on('error', (error) => session.#lose(messageOf(error)))
    client.on('end', () => session.#lose('the connection was closed'))
    client.on('notification', ({ processId, payload = '' }) => {
      if (processId !== session.#me) notified(payload)
    })
    try {
      await client.connect()
      await session.#introduce(schema)
      session.#state = 'open'
      return session
    } catch (error) {
      session.#state = 'over'
      session.#destroy()
      throw error
    }
  }

  async #introduce(schema: string): Promise<void> {
    await this.#ask(`set search_path to ${this.#client.escapeIdentifier(schema)}, public`)
    await this.#ask(`set idle_session_timeout = ${slotSessionIdleMs}`) // E2
    const [row] = await this.#ask<{ me: number; channel: string }>(
      `select pg_backend_pid() as me, 'millrace_' || ${slotClass} as channel`,
    )
    if (row === undefined) throw new Error('the server does not name the session')
    this.#me = row.me
    this.#channel = row.channel
    await this.#ask(`listen ${this.#client.escapeIdentifier(this.#channel)}`)
  }

  /** Who is there, and who holds what. */
  async roll(): Promise<Roll> {
    const rows = await this.#ask<{ pid: number; slot: number | null }>(
      `select pid, case when classid::int = ${slotClass} then objid::int end as slot
       from pg_locks
       where locktype = 'advisory' and granted and objsubid = 2
         and database = (select oid from pg_database where datname = current_database())
         and (classid::int = ${slotClass} or classid::int = ${nameClass})`,
    )
    const members = rows.flatMap(({ pid, slot }) => (slot === null ? [pid] : []))
    const holders = rows.flatMap(({ pid, slot }) => (slot === null ? [] : [[slot, pid] as const]))
    return { me: this.#me, members: [...new Set(members)], holders: new Map(holders) }
  }

  /** Takes those of the slots that nobody holds. None of them may be held here already. */
  async take(slots: readonly number[]): Promise<readonly number[]> {
    const rows = await this.#ask<{ slot: number }>(
      `select slot from unnest($1::int[]) as slot where pg_try_advisory_lock(${slotClass}, slot)`,
      [slots],
    )
    return rows.map(({ slot }) => slot)
  }

  async give(slots: readonly number[]): Promise<void> {
    await this.#ask(
      `select pg_advisory_unlock(${slotClass}, slot) from unnest($1::int[]) as slot`,
      [slots],
    )
  }

  /**
   * Takes a name that no instance bears: the one given, if it is free, else the first of those
   * that were ever used, else one that `invent` gives.
   */
  async takeName(former: string | null, invent: () => string): Promise<string> {
    const known = await this.#ask<{ name: string }>(
      'select instance_id as name from millrace_instance order by instance_id = $1 desc, instance_id',
      [former ?? ''],
    )
    for (const { name } of known) if (await this.#tryName(name)) return name
    const name = former ?? invent()
    await this.#ask(
      'insert into millrace_instance (instance_id) values ($1) on conflict do nothing',
      [name],
    )
    if (await this.#tryName(name)) return name
    return this.takeName(null, invent)
  }

  async #tryName(name: string): Promise<boolean> {
    const rows = await this.#ask<{ taken: boolean }>(
      `select pg_try_advisory_lock(${nameClass}, hashtext($1)) as taken`,
      [name],
    )
    return rows[0]?.taken === true
  }

  /** Tells the other instances, in a transaction of its own. */
  async notify(payload: string): Promise<void> {
    await this.#ask('select pg_notify($1, $2)', [this.#channel, payload])
  }

  /** Ends the session and frees its locks; `lost` is not called. */
  async end(): Promise<void> {
    this.#state = 'over'
    const patience = this.#options.clock.after(slotAnswerMsMax, () => this.#destroy())
    await this.#client.end().catch(() => {})
    patience.cancel()
  }

  async #ask<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const late: Timer = this.#options.clock.after(slotAnswerMsMax, () =>
      this.#lose(`the database did not answer within ${slotAnswerMsMax} ms`),
    ) // E1
    try {
      const { rows } = await this.#client.query<Row>(text, [...values])
      return rows
    } finally {
      late.cancel()
    }
  }

  #lose(reason: string): void {
    if (this.#state === 'over') return
    const wasOpen = this.#state === 'open'
    this.#state = 'over'
    this.#destroy()
    if (wasOpen) this.#options.lost(reason)
  }

  /** Without a word to the server, which may not answer any more. */
  #destroy(): void {
    this.#client.connection.stream.destroy()
  }
}

const slotClass = "'millrace_partitions'::regclass::oid::int"
const nameClass = "'millrace_instance'::regclass::oid::int"

import { type Kysely, sql } from 'kysely'
import { MillraceError } from '../errors.ts'
import { Schedule } from '../schedule/schedule.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { LastWrite } from '../store/last-write.ts'
import type { Dialect } from '../store/store.ts'
import { insertRows } from './insert-rows.ts'
import { partitionOf } from './partitioner.ts'
import { type OutboxPlace, placesAmong, type UnwrittenRow } from './place.ts'

/** Called with where rows were committed to go. */
export type OutboxListener = (places: readonly OutboxPlace[]) => void

/**
 * The door between those who say events and the relay that carries them: rows are written as
 * the last thing before a commit, and the relay is told after it.
 *
 * O1. `unsent` counts committed rows that are yet to be sent. On SQLite it is exact between calls;
 *     on PostgreSQL it is exact as of the last `recount` for what other instances say and send.
 * O2. A listener is called only after the rows are committed.
 * O3. Rows take their numbers in the order in which the transactions of their keys commit (P2):
 *     see `insert-rows.ts`. So `append` comes last in a transaction, and once.
 */
export class Outbox {
  /** What is to enter it later. */
  readonly schedule = new Schedule()
  readonly #unsentMax: number
  readonly #dialect: Dialect
  readonly #listeners = new Set<OutboxListener>()
  #partitions: ReadonlyMap<string, number> = new Map()
  #unsent = 0

  constructor(unsentMax: number, dialect: Dialect = 'sqlite') {
    this.#unsentMax = unsentMax
    this.#dialect = dialect
  }

  /** False where others carry it, and nobody says what was sent. */
  get isCounted(): boolean {
    return this.#unsentMax < Number.POSITIVE_INFINITY
  }

  get unsent(): number {
    return this.#unsent
  }

  /** What the relay knows of the cluster: how many partitions each topic has. */
  route(partitions: ReadonlyMap<string, number>): void {
    this.#partitions = partitions
  }

  /** Counts what is there, at most one more than the limit. Call it before the first `append`. */
  async recount(db: Kysely<KitTables>): Promise<void> {
    if (!this.isCounted) return
    const before = this.#unsent
    const unsent = db
      .selectFrom('millrace_outbox')
      .select('id')
      .where('sent_cluster_id', 'is', null)
      .limit(this.#unsentMax + 1)
    const { count } = await db
      .selectFrom(unsent.as('unsent'))
      .select(sql<number>`count(*)`.as('count'))
      .executeTakeFirstOrThrow()
    // What was said or sent here meanwhile was perhaps counted, or not: the next count knows.
    this.#unsent = Math.max(0, count + this.#unsent - before)
  }

  /** Writes rows in their order. Throws `outbox-full` where they would be too many. */
  async append(db: Kysely<KitTables>, rows: readonly UnwrittenRow[]): Promise<void> {
    await this.lastWrite(rows)?.write(db)
  }

  /** As `append`, for the end of a transaction that others may share (O3). */
  lastWrite(rows: readonly UnwrittenRow[]): LastWrite | null {
    if (rows.length === 0) return null
    if (this.#unsent + rows.length > this.#unsentMax) {
      throw new MillraceError(
        'outbox-full',
        `the outbox holds ${this.#unsent} events that Kafka has not taken, and its limit is ` +
          `${this.#unsentMax}; nothing more can be said until Kafka is back (or KAFKA_ENABLED)`,
        { retriable: true },
      )
    }
    const routed = rows.map((row) => ({ ...row, partition: this.#partitionOf(row) }))
    return new OutboxWrite(routed, this.#dialect)
  }

  /** To be called once the transaction in which the rows were appended has committed (O2). */
  committed(rows: readonly UnwrittenRow[]): void {
    if (rows.length === 0) return
    if (this.isCounted) this.#unsent += rows.length
    const places = placesAmong(
      rows.map((row) => ({ topic: row.topic, partition: this.#partitionOf(row) })),
    )
    for (const notify of this.#listeners) notify(places)
  }

  /** Has the relays look for rows, of which nobody says whether they were committed. */
  look(topic: string): void {
    for (const notify of this.#listeners) notify([{ topic, partition: null }])
  }

  /** To be called once rows are marked as sent, or (negative) as unsent again. */
  sent(count: number): void {
    // Rows of other instances may not have been counted yet (O1).
    this.#unsent = Math.max(0, this.#unsent - count)
  }

  /** Calls `notify` after each commit that said something. Returns the way to stop it. */
  onCommitted(notify: OutboxListener): () => void {
    this.#listeners.add(notify)
    return () => this.#listeners.delete(notify)
  }

  #partitionOf({ topic, hash }: UnwrittenRow): number | null {
    const partitions = this.#partitions.get(topic)
    return partitions === undefined ? null : partitionOf(hash, partitions)
  }
}

/** Rows of one transaction, or of all who share it. */
class OutboxWrite implements LastWrite {
  readonly #rows: readonly UnwrittenRow[]
  readonly #dialect: Dialect

  constructor(rows: readonly UnwrittenRow[], dialect: Dialect) {
    this.#rows = rows
    this.#dialect = dialect
  }

  with(other: LastWrite): LastWrite | null {
    if (!(other instanceof OutboxWrite)) return null
    return new OutboxWrite([...this.#rows, ...other.#rows], this.#dialect)
  }

  write(db: Kysely<KitTables>): Promise<void> {
    return insertRows(db, this.#rows, this.#dialect)
  }
}

import type { Insertable } from 'kysely'
import { type Kysely, sql } from 'kysely'
import { MillraceError } from '../errors.ts'
import { Schedule } from '../schedule/schedule.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
import { partitionOf } from './partitioner.ts'

/**
 * The door between those who say events and the relay that carries them: rows are written as
 * the last thing before a commit, and the relay is told after it.
 *
 * O1. `unsent` counts committed rows that are yet to be sent; it is exact between calls.
 * O2. A listener is called only after the rows are committed.
 */
export class Outbox {
  /** What is to enter it later. */
  readonly schedule = new Schedule()
  readonly #unsentMax: number
  readonly #listeners = new Set<() => void>()
  #partitions: ReadonlyMap<string, number> = new Map()
  #unsent = 0

  constructor(unsentMax: number) {
    this.#unsentMax = unsentMax
  }

  get unsent(): number {
    return this.#unsent
  }

  /** What the relay knows of the cluster: how many partitions each topic has. */
  route(partitions: ReadonlyMap<string, number>): void {
    this.#partitions = partitions
  }

  /** Counts what an earlier run left. Call it before the first `append`. */
  async recount(db: Kysely<KitTables>): Promise<void> {
    const { count } = await db
      .selectFrom('millrace_outbox')
      .select(sql<number>`count(*)`.as('count'))
      .where('sent_cluster_id', 'is', null)
      .executeTakeFirstOrThrow()
    this.#unsent = count
  }

  /** Writes rows in their order. Throws `outbox-full` where they would be too many. */
  async append(db: Kysely<KitTables>, rows: readonly Insertable<OutboxRow>[]): Promise<void> {
    if (rows.length === 0) return
    if (this.#unsent + rows.length > this.#unsentMax) {
      throw new MillraceError(
        'outbox-full',
        `the outbox holds ${this.#unsent} events that Kafka has not taken, and its limit is ` +
          `${this.#unsentMax}; nothing more can be said until Kafka is back (or KAFKA_ENABLED)`,
        { retriable: true },
      )
    }
    for (let from = 0; from < rows.length; from += insertRowsMax) {
      const part = rows.slice(from, from + insertRowsMax)
      const routed = part.map((row) => ({ ...row, partition: this.#partitionOf(row) }))
      await db.insertInto('millrace_outbox').values(routed).execute()
    }
  }

  /** To be called once the transaction of `append` has committed (O2). */
  committed(count: number): void {
    if (count === 0) return
    this.#unsent += count
    for (const notify of this.#listeners) notify()
  }

  /** To be called once rows are marked as sent, or (negative) as unsent again. */
  sent(count: number): void {
    this.#unsent -= count
  }

  /** Calls `notify` after each commit that said something. Returns the way to stop it. */
  onCommitted(notify: () => void): () => void {
    this.#listeners.add(notify)
    return () => this.#listeners.delete(notify)
  }

  #partitionOf({ topic, hash }: Insertable<OutboxRow>): number | null {
    const partitions = this.#partitions.get(topic)
    return partitions === undefined ? null : partitionOf(hash, partitions)
  }
}

/** Kysely compiles each statement anew; beyond this many rows it takes longer than a commit. */
const insertRowsMax = 100

import { type Kysely, sql } from 'kysely'
import type { BodyOf, Catalogue, EventName } from '../catalogue/catalogue.ts'
import type { Timer } from '../clock.ts'
import { MillraceError, messageOf } from '../errors.ts'
import type { PublishOptions } from '../handler.ts'
import { looksMs } from '../limits.ts'
import type { TransactionOptions } from '../server.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type OwnTransaction, tablesIn } from './own-transaction.ts'
import { Publisher } from './publisher.ts'
import { correlationOf, type TransactionTools } from './transaction.ts'

export interface PublishIntoOptions
  extends PublishOptions,
    Pick<TransactionOptions, 'correlationId' | 'causationId'> {}

/**
 * Says an event in a transaction that was opened without the kit, in the same PostgreSQL database
 * (P1, P2): it is written at once, and sent when that transaction has committed. The relay finds it
 * within two seconds at most. It takes the event's key from other publishers until the commit, so
 * call it last; of two calls for several keys in opposite orders, PostgreSQL may undo one.
 *
 * Throws `event-invalid`, `outbox-full`, and `definition-invalid` on SQLite, where the kit holds
 * the only writer, and where the transaction is none or of another database.
 */
export type PublishInto<C extends Catalogue> = <Name extends EventName<C>>(
  transaction: OwnTransaction,
  name: Name,
  body: BodyOf<C, Name>,
  options?: PublishIntoOptions,
) => Promise<string>

/** As `PublishInto`, of any catalogue: checked at run time. */
export type UntypedPublishInto = (
  transaction: OwnTransaction,
  name: string,
  body: unknown,
  options?: PublishIntoOptions,
) => Promise<string>

/**
 * The `publishInto` of a running service. Nobody tells it when a transaction commits, so it has
 * the relay look soon, and once more; later ones the sweep finds.
 */
export class OwnTransactions {
  readonly #tools: TransactionTools
  readonly #timers = new Map<string, Timer>()
  #isStopped = false

  constructor(tools: TransactionTools) {
    this.#tools = tools
  }

  readonly publishInto: UntypedPublishInto = async (transaction, name, body, options = {}) => {
    const { service, store, outbox, clock, random, observer } = this.#tools
    if (store.dialect !== 'postgres') throw onSqlite(service.name)
    const publisher = new Publisher({
      catalogue: service.catalogue,
      source: service.source,
      outbox,
      correlation: correlationOf(options, this.#tools),
      clock,
      random,
      observer,
      open: async () => {},
    })
    const db = tablesIn(transaction)
    const eventId = await publisher.publish(name, body, options)
    await inSchema(db, service.name, () => publisher.flush(db))
    const topic = service.catalogue.routes.get(name)?.topic
    if (topic !== undefined) for (const delayMs of looksMs) this.#look(topic, delayMs)
    return eventId
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers.values()) timer.cancel()
  }

  #look(topic: string, delayMs: number): void {
    const name = `${topic} ${delayMs}`
    if (this.#isStopped || this.#timers.has(name)) return
    const timer = this.#tools.clock.after(delayMs, () => {
      this.#timers.delete(name)
      this.#tools.outbox.look(topic)
    })
    this.#timers.set(name, timer)
  }
}

/** Runs `work` with the service's schema in front, and gives the transaction back as it was. */
async function inSchema(
  db: Kysely<KitTables>,
  schema: string,
  work: () => Promise<void>,
): Promise<void> {
  const found = await sql<{ path: string }>`
    with before as materialized (select current_setting('search_path') as path)
    select path, set_config('search_path', quote_ident(${schema}), true) from before
  `.execute(db)
  try {
    await work()
  } catch (error) {
    throw isMissingTable(error) ? elsewhere(schema, error) : error
  }
  const [{ path } = { path: '' }] = found.rows
  await sql`select set_config('search_path', ${path}, true)`.execute(db)
}

function isMissingTable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42P01'
}

function elsewhere(schema: string, error: unknown): MillraceError {
  return new MillraceError(
    'definition-invalid',
    `publishInto: the transaction is of a database without the schema "${schema}" of the service ` +
      `(${messageOf(error)}); it must be the one of DATABASE_URL`,
    { cause: error },
  )
}

function onSqlite(name: string): MillraceError {
  return new MillraceError(
    'definition-invalid',
    `publishInto: the rows of "${name}" are in SQLite, where the kit holds the only writer; use ` +
      'transaction() of the running service',
  )
}

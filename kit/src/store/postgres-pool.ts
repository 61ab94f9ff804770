import { Pool, type PoolClient } from 'pg'
import { MillraceError } from '../errors.ts'
import {
  postgresConnectMsMax,
  postgresIdleMsMax,
  transactionHeldMsMax,
  writerQueueMax,
} from '../limits.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { postgresError } from './postgres-error.ts'
import { typeParsers } from './postgres-types.ts'
import type { PostgresPlace } from './postgres-url.ts'
import { storeBusy } from './store-error.ts'

export interface PostgresPoolOptions {
  readonly place: PostgresPlace
  /** The schema that unqualified names are looked up in first. */
  readonly schema: string
  readonly connectionsMax: number
  /** After which the server ends a statement. */
  readonly statementMsMax: number
  /** Shown in the server's list of connections. */
  readonly applicationName: string
}

/** A connection that is nobody else's, until it is given back. */
export interface Lease {
  readonly connection: PostgresConnection
  /** `isUsable: false` closes it, where nobody knows what state it is in. */
  release(options: { readonly isUsable: boolean }): void
}

/**
 * A few connections, opened when they are needed and closed when they have long been idle. One
 * that breaks is replaced by the next that asks: nothing has to be told that the server is back.
 *
 * L1. Every connection has its schema first in `search_path`, and limits in the server itself: a
 *     statement ends, and an idle transaction is rolled back, also when this process stands still.
 * L2. A connection that breaks ends nothing but what ran on it.
 */
export class PostgresPool {
  readonly #pool: Pool
  readonly #place: string
  readonly #connections = new WeakMap<PoolClient, PostgresConnection>()
  #leases = 0
  #isClosing = false
  #closed: () => void = () => {}

  constructor(options: PostgresPoolOptions) {
    const { place, schema, connectionsMax, statementMsMax, applicationName } = options
    this.#place = place.description
    this.#pool = new Pool({
      connectionString: place.url,
      application_name: applicationName,
      max: connectionsMax,
      pipeline: true,
      keepAlive: true,
      types: typeParsers,
      connectionTimeoutMillis: postgresConnectMsMax,
      idleTimeoutMillis: postgresIdleMsMax,
      async onConnect(client) {
        await client.query(
          `set search_path to ${client.escapeIdentifier(schema)}, public; ` +
            `set statement_timeout = ${statementMsMax}; ` +
            `set idle_in_transaction_session_timeout = ${2 * transactionHeldMsMax}`, // L1
        )
      },
    })
    // An error without a listener would end the process; the next query on it says the same. L2
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => void client.on('error', () => {}))
  }

  /** Waits for a connection. Rejects with `store-busy`, `store-failed` or `service-stopped`. */
  async lease(name: string): Promise<Lease> {
    if (this.#isClosing) throw stopping(name)
    if (this.#pool.waitingCount >= writerQueueMax) throw storeBusy(name)
    this.#leases += 1
    try {
      const client = await this.#pool.connect()
      return this.#leaseOf(client)
    } catch (error) {
      this.#returned()
      const isWaiting = error instanceof Error && error.message.startsWith('timeout exceeded')
      throw isWaiting ? storeBusy(name) : postgresError(error, this.#place)
    }
  }

  /** Lets what runs or waits finish, closes the connections, and gives no new ones. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#leases > 0) {
      await new Promise<void>((resolve) => {
        this.#closed = resolve
      })
    }
    await this.#pool.end()
  }

  #leaseOf(client: PoolClient): Lease {
    const known = this.#connections.get(client)
    const connection = known ?? new PostgresConnection(client, this.#place)
    if (known === undefined) this.#connections.set(client, connection)
    return {
      connection,
      release: ({ isUsable }) => {
        client.release(!isUsable || connection.isSpent)
        this.#returned()
      },
    }
  }

  #returned(): void {
    this.#leases -= 1
    if (this.#leases === 0) this.#closed()
  }
}

function stopping(name: string): MillraceError {
  return new MillraceError('service-stopped', `"${name}" is not begun: the service is stopping`, {
    retriable: true,
  })
}

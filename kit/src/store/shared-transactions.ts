import type { Clock } from '../clock.ts'
import { transactionHeldMsMax, writerQueueMax } from '../limits.ts'
import type { PostgresPool } from './postgres-pool.ts'
import { SharedTransaction } from './shared-transaction.ts'
import { SharingRecord } from './sharing-record.ts'
import { storeBusy } from './store-error.ts'
import type { TakenTurn, TurnOptions } from './turn.ts'

interface Waiting {
  readonly kind: string
  readonly options: TurnOptions
  readonly resolve: (taken: TakenTurn) => void
  readonly reject: (error: unknown) => void
}

/**
 * Puts those who ask at about the same time into one transaction.
 *
 * G1. At most one transaction has members that work; the one before it may still be committing.
 *     So two of them never wait for each other's locks in a circle.
 * G2. Nobody waits for company: a transaction opens for whoever is there.
 */
export class SharedTransactions {
  readonly #pool: PostgresPool
  readonly #clock: Clock
  readonly #record: SharingRecord
  #queue: Waiting[] = []
  #working: SharedTransaction | null = null
  #isOpening = false

  constructor(pool: PostgresPool, clock: Clock) {
    this.#pool = pool
    this.#clock = clock
    this.#record = new SharingRecord(clock)
  }

  /** Whether one of this kind may share now; else it is to have a transaction of its own. */
  admits(kind: string): boolean {
    return this.#record.admits(kind)
  }

  /** What became of one that was alone, so that its kind may share again. */
  wasAlone(kind: string, isCommitted: boolean): void {
    this.#record.note(kind, isCommitted ? 'committed' : 'failed')
  }

  take(kind: string, options: TurnOptions): Promise<TakenTurn> {
    if (this.#queue.length >= writerQueueMax) return Promise.reject(storeBusy(options.name))
    return new Promise((resolve, reject) => {
      this.#queue.push({ kind, options, resolve, reject })
      this.#next()
    })
  }

  #next(): void {
    if (this.#working === null) {
      if (this.#queue.length > 0 && !this.#isOpening) void this.#open()
      return
    }
    while (this.#working.isAccepting) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) return
      waiting.resolve(this.#working.join(waiting.kind, waiting.options))
    }
  }

  async #open(): Promise<void> {
    this.#isOpening = true
    try {
      const lease = await this.#pool.lease('shared')
      this.#working = new SharedTransaction(
        {
          connection: lease.connection,
          clock: this.#clock,
          worked: () => {
            this.#working = null // G1
            this.#next()
          },
          ended: (isUsable) => lease.release({ isUsable }),
          shared: (kind, how) => this.#record.note(kind, how),
        },
        transactionHeldMsMax,
      )
    } catch (error) {
      const queue = this.#queue
      this.#queue = []
      for (const { reject } of queue) reject(error)
    } finally {
      this.#isOpening = false
    }
    this.#next()
  }
}

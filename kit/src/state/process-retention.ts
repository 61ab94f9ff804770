import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { inboxPruneEveryMs, pruneRowsMax } from '../limits.ts'
import type { Log } from '../log.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import { forgetEnded } from './process-rows.ts'

export interface ProcessRetentionOptions {
  readonly store: Store<KitTables>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Forgets processes that ended long ago, a few at a time. Until then an event that comes late
 * finds its process ended; after it, it would be the first of a new one.
 */
export class ProcessRetention {
  readonly #options: ProcessRetentionOptions
  #timer: Timer | null = null
  #pruning: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: ProcessRetentionOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isStopped) return
    this.#timer = this.#options.clock.after(inboxPruneEveryMs, () => {
      this.#pruning = this.#prune().finally(() => this.start())
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#pruning
  }

  async #prune(): Promise<void> {
    const { store, clock, log } = this.#options
    const forget = () =>
      store.transaction('forget ended processes', (db) => forgetEnded(db, clock.nowMs()))
    try {
      while (!this.#isStopped && (await forget()) === pruneRowsMax);
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'processes that ended are kept longer')
    }
  }
}

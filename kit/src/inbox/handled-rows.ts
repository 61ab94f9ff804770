import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { InboxRow } from '../store/tables/inbox.ts'
import { recordForgone } from './inbox.ts'
import { handledRowsMax } from './limits.ts'

interface Waiting {
  readonly rows: readonly InboxRow[]
  readonly over: AbortSignal
  readonly written: () => void
  readonly failed: (error: unknown) => void
}

/**
 * Writes the inbox rows of handlers that used no transaction of their own, those of many in one:
 * whatever is there when the one before has committed.
 *
 * H1. A row is written before its event is done, so that what comes again is known.
 * H2. Of a run that was given up before its turn nothing is written.
 */
export class HandledRows {
  readonly #store: Store<KitTables>
  #waiting: Waiting[] = []
  #writing = 0
  #isWriting = false

  constructor(store: Store<KitTables>) {
    this.#store = store
  }

  /** True where more are on their way than one transaction takes: the store is to catch up. */
  get isBehind(): boolean {
    return this.#waiting.length + this.#writing >= handledRowsMax
  }

  /**
   * Resolves when the rows are committed; a row that is there already stays as it is. Rejects with
   * the reason of `over` where that came first.
   */
  add(rows: readonly InboxRow[], over: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ rows, over, written: resolve, failed: reject })
    if (!this.#isWriting) void this.#write()
    return promise
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    await Promise.resolve() // those that end in the same moment share the first transaction
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      this.#writing = batch.length
      try {
        await this.#store.transaction('handled', async (db) => {
          await recordForgone(
            db,
            batch.flatMap(({ rows }) => rows),
          )
        })
        for (const { written } of batch) written()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    this.#writing = 0
    this.#isWriting = false
  }

  /** H2: what was given up meanwhile is left out. */
  #next(): readonly Waiting[] {
    for (const { over, failed } of this.#waiting) if (over.aborted) failed(over.reason)
    const live = this.#waiting.filter(({ over }) => !over.aborted)
    const batch = live.slice(0, handledRowsMax)
    this.#waiting = live.slice(handledRowsMax)
    return batch
  }
}

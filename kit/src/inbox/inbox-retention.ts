import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { inboxPruneEveryMs, pruneRowsMax } from '../limits.ts'
import type { Log } from '../log.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { AssignedPartition } from '../transport/transport.ts'
import { pruneInbox } from './inbox.ts'

export interface InboxRetentionOptions {
  readonly store: Store<KitTables>
  readonly group: string
  readonly clock: Clock
  readonly log: Log
  /** The partitions that are ours now, and how far the group has committed each. */
  readonly partitions: () => Iterable<{
    readonly partition: AssignedPartition
    readonly committed: bigint
  }>
}

/** Forgets old inbox rows now and then: see `pruneInbox` for which. */
export class InboxRetention {
  readonly #options: InboxRetentionOptions
  #timer: Timer | null = null
  #isStopped = false

  constructor(options: InboxRetentionOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isStopped) return
    const { clock, log } = this.#options
    this.#timer = clock.after(inboxPruneEveryMs, () => {
      this.#prune()
        .catch((error: unknown) => {
          log.error({ reason: messageOf(error) }, 'old inbox rows stay')
        })
        .finally(() => this.start())
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #prune(): Promise<void> {
    const { store, group, clock, partitions } = this.#options
    const ours = [...partitions()]
    const topicIds = ours.map(({ partition }) => partition.topicId)
    for (const { partition, committed } of ours) {
      const options = { committed, group, nowMs: clock.nowMs(), topicIds }
      const prune = () =>
        store.transaction('prune inbox', (db) => pruneInbox(db, partition, options))
      while (!this.#isStopped && (await prune()) === pruneRowsMax);
    }
  }
}

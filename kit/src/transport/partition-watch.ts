import { systemClock, type Timer } from '../clock.ts'
import type { TopicDescription } from './transport.ts'

export interface PartitionWatchOptions {
  readonly everyMs: number
  /** Asks the cluster. */
  readonly describe: (topics: readonly string[]) => Promise<readonly TopicDescription[]>
  /** Called once: a topic has more partitions than when the watch began. */
  readonly added: (error: PartitionsAdded) => void
}

/** The group has to share out anew: no trouble, but the end of a session. */
export class PartitionsAdded extends Error {
  override readonly name = 'PartitionsAdded'

  constructor({ topic, partitions }: TopicDescription) {
    super(`topic "${topic}" has ${partitions} partitions now; the group shares them out anew`)
  }
}

/**
 * Looks now and then whether a topic has more partitions than it had: the group deals only those
 * that were there when it did so, and nobody else tells it.
 */
export class PartitionWatch implements Disposable {
  readonly #options: PartitionWatchOptions
  readonly #topics: readonly TopicDescription[]
  #timer: Timer | null = null
  #isOver = false

  constructor(topics: readonly TopicDescription[], options: PartitionWatchOptions) {
    this.#topics = topics
    this.#options = options
    this.#lookLater()
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  #lookLater(): void {
    if (this.#isOver) return
    // A cluster that does not answer now is asked again.
    const again = (): void => this.#lookLater()
    this.#timer = systemClock.after(this.#options.everyMs, () => {
      this.#look().then(again, again)
    })
  }

  async #look(): Promise<void> {
    const found = await this.#options.describe(this.#topics.map(({ topic }) => topic))
    const before = new Map(this.#topics.map(({ topic, partitions }) => [topic, partitions]))
    const grown = found.find(({ topic, partitions }) => partitions > (before.get(topic) ?? 0))
    if (grown === undefined || this.#isOver) return
    this.#isOver = true
    this.#options.added(new PartitionsAdded(grown))
  }
}

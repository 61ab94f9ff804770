// The topics of a broker and their open logs.
//
// K1. A topic is visible once its directories and its record in the journal are durable, and not
//     before: a produced batch is never in a topic that a crash could make unheard-of.
// K2. A topic is made directories first, and deleted journal first. So what a crash leaves is a
//     directory that no topic has: an empty one of a topic that nobody was told of, or one of a
//     topic that is deleted. Both are removed on opening; anything else refuses to open.
// K3. Changes of one topic happen one after the other.

import type { Disk } from '../disk/disk.ts'
import { Journal } from '../journal/journal.ts'
import type { FlushPolicy } from '../log/log-config.ts'
import type { LogDirectory, PartitionDirectory } from '../log/log-directory.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { ConfigValues, TopicConfigs } from './config.ts'
import {
  type ConfigChanges,
  decodeTopicRecord,
  encodeTopicRecord,
  type TopicRecord,
} from './records.ts'
import { newTopicId, type Topic, type TopicFacts } from './topic.ts'
import { evolve, noTopics, snapshotOf, type TopicTable } from './topic-table.ts'

export interface TopicCatalogueOptions {
  readonly disk: Disk
  readonly logs: LogDirectory
  readonly flush: FlushPolicy
  readonly configs: TopicConfigs
  readonly report: (line: string) => void
}

export interface NewTopic {
  readonly name: string
  readonly partitionCount: number
  readonly configs: ConfigValues
}

export class TopicCatalogue implements AsyncDisposable {
  readonly #options: TopicCatalogueOptions
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  readonly #changes = new Map<string, Promise<unknown>>()
  readonly #onDeleted: ((topic: Topic) => Promise<void>)[] = []
  #table: TopicTable = noTopics
  #journal: Journal | undefined

  /**
   * Opens the topics of a data directory and recovers their logs.
   * @throws JournalError, LogDamagedError, or an Error for a directory whose topic is unknown
   */
  static async open(options: TopicCatalogueOptions): Promise<TopicCatalogue> {
    const catalogue = new TopicCatalogue(options)
    catalogue.#journal = await Journal.open({
      disk: options.disk,
      path: 'journal/topics',
      flush: options.flush,
      report: options.report,
      apply: (bytes) => {
        catalogue.#table = evolve(catalogue.#table, decodeTopicRecord(bytes))
      },
      snapshot: () => snapshotOf(catalogue.#table),
    })
    await catalogue.#openTopics()
    return catalogue
  }

  private constructor(options: TopicCatalogueOptions) {
    this.#options = options
  }

  get configs(): TopicConfigs {
    return this.#options.configs
  }

  /** All topics, sorted by name. */
  get all(): readonly Topic[] {
    return [...this.#byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  byName(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: string): Topic | undefined {
    return this.#byId.get(topicId)
  }

  /** Calls back for each topic that is deleted from now on; its logs go when that has resolved. */
  onDeleted(act: (topic: Topic) => Promise<void>): void {
    this.#onDeleted.push(act)
  }

  /** Makes a topic. Who asks while it is being made, or later, gets the same one. */
  async create(wanted: NewTopic): Promise<{ readonly topic: Topic; readonly created: boolean }> {
    const { name, partitionCount, configs } = wanted
    return this.#inTurn(name, async () => {
      const existing = this.#byName.get(name)
      if (existing !== undefined) return { topic: existing, created: false }
      const facts: TopicFacts = { name, topicId: newTopicId(), partitionCount, configs }
      const partitions = await this.#makePartitions(facts, 0)
      return { topic: this.#show({ ...facts, partitions }), created: true } // K1
    })
  }

  /** Adds partitions until there are so many; a topic that has them is left as it is. */
  async grow(name: string, partitionCount: number): Promise<void> {
    await this.#inTurn(name, async () => {
      const topic = this.#byName.get(name)
      if (topic === undefined || topic.partitionCount >= partitionCount) return
      const facts: TopicFacts = { ...topic, partitionCount }
      const added = await this.#makePartitions(facts, topic.partitionCount)
      this.#show({ ...facts, partitions: [...topic.partitions, ...added] })
    })
  }

  /** Puts changed configs into force. The caller has checked them. */
  async configure(name: string, changes: ConfigChanges): Promise<void> {
    await this.#inTurn(name, async () => {
      const topic = this.#byName.get(name)
      if (topic === undefined) return
      await this.#append({ kind: 'configs', topicId: topic.topicId, changes })
      const facts = this.#table.topics.get(topic.topicId) ?? topic
      const config = this.configs.logConfig(facts.configs)
      for (const log of topic.partitions) log.configure(config)
      this.#show({ ...facts, partitions: topic.partitions })
    })
  }

  /** Deletes a topic with everything in it. What is deleted already stays so. */
  async delete(name: string): Promise<void> {
    await this.#inTurn(name, async () => {
      const topic = this.#byName.get(name)
      if (topic === undefined) return
      await this.#append({ kind: 'deleted', topicId: topic.topicId }) // K2
      this.#byName.delete(name)
      this.#byId.delete(topic.topicId)
      for (const act of this.#onDeleted) await act(topic)
      await this.#options.logs.deletePartitions(name, numbersTo(topic.partitionCount))
      await this.#append({ kind: 'forgotten', topicId: topic.topicId })
    })
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#changes.values())
    await this.#journal?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #openTopics(): Promise<void> {
    const found = Map.groupBy(this.#options.logs.found, ({ topicId }) => topicId)
    for (const [topicId, directories] of found) {
      const facts = this.#table.topics.get(topicId)
      const excess = facts === undefined ? directories : directories.filter(isPast(facts))
      for (const directory of excess) await this.#removeLeftover(directory)
    }
    for (const facts of this.#table.topics.values()) {
      const present = found.get(facts.topicId) ?? []
      this.#show({ ...facts, partitions: await this.#openPartitions(facts, present) })
    }
    await this.#options.logs.checkpointRecovery()
    for (const topicId of this.#table.deleted) await this.#append({ kind: 'forgotten', topicId })
  }

  async #openPartitions(
    facts: TopicFacts,
    present: readonly PartitionDirectory[],
  ): Promise<readonly PartitionLog[]> {
    const config = this.configs.logConfig(facts.configs)
    const partitions: PartitionLog[] = []
    for (const partition of numbersTo(facts.partitionCount)) {
      if (!present.some((directory) => directory.partition === partition)) {
        const missing = `${facts.name}-${partition}`
        throw new Error(
          `the data directory has lost the partition directory ${missing}: restore it, or start ` +
            'over with an empty data directory',
        )
      }
      partitions.push(await this.#options.logs.openPartition(facts.name, partition, config))
    }
    return partitions
  }

  /** K2 */
  async #removeLeftover(directory: PartitionDirectory): Promise<void> {
    const { topic, partition, topicId } = directory
    const { logs, report } = this.#options
    if (!this.#table.deleted.has(topicId) && (await this.#hasRecords(directory))) {
      throw new Error(
        `the partition directory ${topic}-${partition} holds records of a topic that the journal ` +
          'does not know: move it away, or restore the journal that belongs to it',
      )
    }
    await logs.deletePartitions(topic, [partition])
    report(`removed the leftover directory ${topic}-${partition}`)
  }

  async #hasRecords({ topic, partition }: PartitionDirectory): Promise<boolean> {
    const config = this.configs.logConfig(new Map())
    const log = await this.#options.logs.openPartition(topic, partition, config)
    return log.logEndOffset > 0n
  }

  /** Makes the partitions of a topic from that number on: directories first, then journal (K2). */
  async #makePartitions(facts: TopicFacts, from: number): Promise<readonly PartitionLog[]> {
    const { logs } = this.#options
    const { name: topic, topicId } = facts
    const partitions = numbersTo(facts.partitionCount).slice(from)
    const config = this.configs.logConfig(facts.configs)
    const made = await logs.createPartitions({ topic, topicId, partitions, config })
    try {
      await this.#append({ ...facts, kind: 'topic' })
      return made
    } catch (error) {
      await logs.deletePartitions(topic, partitions)
      throw error
    }
  }

  async #append(record: TopicRecord): Promise<void> {
    await this.#journal?.append([encodeTopicRecord(record)])
  }

  #show(topic: Topic): Topic {
    this.#byName.set(topic.name, topic)
    this.#byId.set(topic.topicId, topic)
    return topic
  }

  /** K3 */
  async #inTurn<Result>(name: string, change: () => Promise<Result>): Promise<Result> {
    const before = this.#changes.get(name) ?? Promise.resolve()
    const turn = before.then(change, change)
    this.#changes.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#changes.get(name) === turn) this.#changes.delete(name)
    }
  }
}

function isPast(facts: TopicFacts): (directory: PartitionDirectory) => boolean {
  return ({ partition }) => partition >= facts.partitionCount
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}

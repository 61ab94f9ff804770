// P10: what was acknowledged is there after a power cut, whenever it comes. A schedule that follows
// from a seed appends, rolls, makes and deletes topics, deletes records, writes checkpoints and
// closes, on a disk that forgets what was not synced; the power is cut anywhere in between.
//
// The suite proves itself: with any kind of sync left out, some seed loses something.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FaultyDisk, type SyncCall } from '../disk/faulty-disk.ts'
import { seededRandom } from '../disk/seeded-random.ts'
import { LOG_CONFIG_DEFAULT } from './log-config.ts'
import type { LogDirectory } from './log-directory.ts'
import { batchOf, openDirectory, recordsFrom, START_MS, TOPIC_ID, text } from './log-fixture.ts'
import type { PartitionLog } from './partition-log.ts'

const seeds = 100
const lives = 4
const config = { ...LOG_CONFIG_DEFAULT, segmentBytes: 400, indexIntervalBytes: 100 }

/** What a client of one topic was told. */
interface Told {
  created: boolean
  /** Asked to be deleted: it may be there or not. */
  deleting: boolean
  deleted: boolean
  /** By offset: the values of records that were acknowledged, or seen below the high watermark. */
  readonly values: Map<bigint, string>
  /** The start of the log that was asked for, and the one that was confirmed. */
  startAsked: bigint
  start: bigint
}

class Schedule {
  readonly #random: () => number
  readonly #told = new Map<string, Told>()
  #disk: FaultyDisk
  #directory: LogDirectory | undefined
  #life = 0
  #names = 0

  constructor(seed: number, ignored: (sync: SyncCall) => boolean) {
    this.#random = seededRandom(seed)
    const syncDelay = () => turns(this.#upTo(4))
    this.#disk = new FaultyDisk({ now: () => START_MS, syncDelay })
    this.#disk.ignoreSyncs(ignored)
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  /** Runs all lives. Throws when something that was told is not so. */
  async run(): Promise<void> {
    for (; this.#life < lives; this.#life++) {
      await this.#start()
      for (let step = this.#upTo(40); step > 0; step--) {
        this.#step()
        await turns(this.#upTo(8))
      }
      if (this.#random() < 0.3) await this.#directory?.close()
      this.#disk = this.#disk.crash(this.#random() < 0.4 ? undefined : this.#random)
    }
    await this.#start()
  }

  async #start(): Promise<void> {
    const { directory } = await openDirectory(this.#disk)
    this.#directory = directory
    for (const { topic, topicId } of directory.found) {
      assert.equal(topicId, TOPIC_ID)
      await directory.openPartition(topic, 0, config)
    }
    for (const [topic, told] of this.#told) this.#check(topic, told, directory.log(topic, 0))
  }

  #check(topic: string, told: Told, log: PartitionLog | undefined): void {
    if (log === undefined) {
      assert.ok(!told.created || told.deleting, `${topic} is gone`)
      this.#told.delete(topic)
      return
    }
    assert.ok(!told.deleted, `${topic} is back`)
    // A topic that is half deleted may have its deleted records again.
    const start = told.deleting ? 0n : told.start
    assert.ok(log.logStartOffset >= start, `${topic} starts before ${start}`)
    assert.ok(log.logStartOffset <= told.startAsked, `${topic} starts after ${told.startAsked}`)
    const found = new Map(
      recordsFrom(log, log.logStartOffset).map(({ offset, value }) => [offset, text(value)]),
    )
    for (const [offset, value] of told.values) {
      if (offset >= log.logStartOffset) assert.equal(found.get(offset), value, `${topic} ${offset}`)
    }
    told.created = true
  }

  #step(): void {
    const directory = this.#directory
    const logs = [...(directory?.logs ?? [])].filter(({ topic }) => this.#told.has(topic))
    const log = logs[this.#upTo(logs.length)]
    const dice = this.#upTo(20)
    if (directory === undefined) return
    if (log === undefined || dice === 0) this.#create(directory)
    else if (dice === 1) this.#delete(directory, log)
    else if (dice === 2) this.#deleteRecords(directory, log)
    else if (dice === 3) this.#then(directory.checkpoint(), () => {})
    else this.#append(directory, log)
  }

  /** Calls back when a promise is kept, unless the power was cut before. */
  #then(promise: Promise<unknown>, kept: () => void): void {
    const life = this.#life
    promise.then(
      () => {
        if (life === this.#life) kept()
      },
      () => {},
    )
  }

  #append(directory: LogDirectory, log: PartitionLog): void {
    const told = this.#told.get(log.topic)
    if (told === undefined || told.deleting) return
    const life = this.#life
    for (let count = 1 + this.#upTo(3); count > 0; count--) {
      const value = `${life}/${this.#names++}`
      const outcome = log.append(batchOf({ values: [value, value] }), { zstdAllowed: true })
      if (outcome.kind === 'rejected') continue
      const { baseOffset, lastOffset } = outcome.placed
      log.onStored(lastOffset, 'durable', ({ kind }) => {
        if (kind === 'failed' || life !== this.#life) return
        told.values.set(baseOffset, value).set(lastOffset, value)
      })
    }
    directory.flusher.commitTurn()
  }

  #create(directory: LogDirectory): void {
    // Some names come again, so that a topic is made where one was deleted.
    const topic = `t${this.#upTo(6)}`
    const old = this.#told.get(topic)
    if (old !== undefined && !old.deleted) return
    const told: Told = {
      created: false,
      deleting: false,
      deleted: false,
      values: new Map(),
      startAsked: 0n,
      start: 0n,
    }
    this.#told.set(topic, told)
    const wanted = { topic, topicId: TOPIC_ID, partitions: [0], config }
    this.#then(directory.createPartitions(wanted), () => (told.created = true))
  }

  #delete(directory: LogDirectory, log: PartitionLog): void {
    const told = this.#told.get(log.topic)
    if (told === undefined || told.deleting || !told.created) return
    told.deleting = true
    this.#then(directory.deletePartitions(log.topic, [0]), () => (told.deleted = true))
  }

  #deleteRecords(directory: LogDirectory, log: PartitionLog): void {
    const told = this.#told.get(log.topic)
    if (told === undefined || told.deleting) return
    const before = log.highWatermark
    told.startAsked = before
    this.#then(directory.deleteRecords(log, before), () => (told.start = before))
  }
}

/** The first seed whose schedule found that something which was told is not so, and what. */
async function firstLoss(ignored: (sync: SyncCall) => boolean): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await new Schedule(seed, ignored).run()
    } catch (error) {
      return `seed ${seed}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

const is = (kind: SyncCall['kind'], path: RegExp) => (sync: SyncCall) =>
  sync.kind === kind && path.test(sync.path)

test('what was acknowledged is there after a power cut at any moment', async () => {
  assert.equal(await firstLoss(() => false), undefined)
})

const needed: readonly [name: string, ignored: (sync: SyncCall) => boolean][] = [
  ['segments', is('file', /\.log$/)],
  ['the directories of partitions', is('directory', /-\d+$/)],
  ['the data directory', is('directory', /^$/)],
  ['checkpoints', is('file', /checkpoint\.tmp$/)],
  ['topic ids', is('file', /partition\.metadata\.tmp$/)],
]
for (const [name, ignored] of needed) {
  test(`without the syncs of ${name} something acknowledged is lost`, async () => {
    assert.notEqual(await firstLoss(ignored), undefined)
  })
}

test('without the syncs of indexes nothing is lost: they are built anew', async () => {
  assert.equal(await firstLoss(is('file', /index$/)), undefined)
})

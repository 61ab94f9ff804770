import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch, type RecordInput } from '@millrace/wire'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import { seededRandom } from '../disk/seeded-random.ts'
import type { CompactionPolicy } from './compaction.ts'
import type { LogDirectory } from './log-directory.ts'
import { openDisk, openLog, recordsFrom, START_MS, stored, text } from './log-fixture.ts'
import type { PartitionLog } from './partition-log.ts'

const policy: CompactionPolicy = {
  minLagMs: 0,
  maxLagMs: Number.MAX_SAFE_INTEGER,
  dirtyRatioMin: 0,
  tombstoneKeptMs: 1000,
}
const config = { compaction: policy, segmentBytes: 300, indexIntervalBytes: 50, retentionMs: -1 }
const bytes = (value: string) => new TextEncoder().encode(value)
const noRest = async () => {}

/** `a=1` says 1 of a, `a` alone takes a away; each in a batch of its own, or several in one. */
function recordOf(said: string): RecordInput {
  const [key = '', value] = said.split('=')
  return {
    timestamp: BigInt(START_MS),
    key: bytes(key),
    value: value === undefined ? null : bytes(value),
  }
}

async function say(directory: LogDirectory, log: PartitionLog, batches: readonly string[]) {
  for (const said of batches) {
    const batch = encodeBatch(said.split(' ').map(recordOf))
    const outcome = log.append(batch.bytes, { zstdAllowed: true })
    if (outcome.kind === 'rejected') throw new Error(outcome.message)
    directory.flusher.commitTurn()
    await stored(log, outcome.placed.lastOffset)
  }
}

const heard = (log: PartitionLog, from = 0n) =>
  recordsFrom(log, from).map(({ offset, key, value }) => {
    const said = value === null ? text(key) : `${text(key)}=${text(value)}`
    return `${offset}:${said}`
  })

/** Enough to close the segment before. */
const filler = Array.from({ length: 4 }, (_, index) => `filler=${index}${'x'.repeat(60)}`)

test('of each key the last record stays, at its offset, and the growing segment is untouched', async () => {
  const { directory, log } = await openLog(openDisk(), config)
  await say(directory, log, ['a=1', 'b=1', 'a=2', 'a=3 b=2 c=1', 'c=2', ...filler])
  const before = heard(log)
  await log.compact(noRest)
  const after = heard(log)
  assert.ok(after.includes('3:a=3'))
  assert.ok(after.includes('4:b=2'))
  assert.deepEqual(
    after.filter((line) => line.includes('a=')),
    ['3:a=3'],
  )
  assert.ok(after.every((line) => before.includes(line)))
  assert.equal(after.at(-1), before.at(-1))
  assert.equal(log.logEndOffset, BigInt(before.length))
})

test('whoever reads at an offset that is gone gets the next record that is there', async () => {
  const { directory, log } = await openLog(openDisk(), config)
  await say(directory, log, [...filler, 'a=1', 'b=1', 'a=2', 'b=2', 'a=3', ...filler, ...filler])
  await log.compact(noRest)
  const all = heard(log)
  for (let from = 0n; from < log.logEndOffset; from++) {
    const expected = all.filter((line) => Number(line.split(':')[0]) >= from)
    assert.deepEqual(heard(log, from), expected)
  }
})

test('segments that compaction made small become one', async () => {
  const disk = openDisk()
  const { directory, log } = await openLog(disk, config)
  for (let round = 0; round < 20; round++) await say(directory, log, filler)
  const count = () => disk.list('orders-0')?.filter((name) => name.endsWith('.log')).length ?? 0
  const before = count()
  await log.compact(noRest)
  await say(directory, log, ['filler=1']) // A pass comes with the next dirt.
  await say(directory, log, filler)
  await log.compact(noRest)
  assert.ok(before >= 40 && count() <= 15, `${before} segments became ${count()}`)
})

test('a tombstone is seen for its time, and goes after it; the key stays gone', async () => {
  let nowMs = START_MS
  const { directory, log } = await openLog(openDisk(), config, { now: () => nowMs })
  await say(directory, log, ['a=1', 'b=1', 'a', ...filler])
  await log.compact(noRest)
  assert.deepEqual(heard(log).slice(0, 2), ['1:b=1', '2:a'])
  nowMs += policy.tombstoneKeptMs - 1
  await log.compact(noRest)
  assert.ok(heard(log).includes('2:a'))
  nowMs += 1
  await log.compact(noRest)
  assert.ok(!heard(log).some((line) => line.endsWith(':a')))
  assert.equal(heard(log)[0], '1:b=1')
})

test('a record keeps its time, also in a batch that waits for its tombstones to go', async () => {
  const { directory, log } = await openLog(openDisk(), config)
  await say(directory, log, ['a=1', 'b=1 a', ...filler])
  await log.compact(noRest)
  const times = recordsFrom(log, 0n).map(({ timestamp }) => timestamp)
  assert.deepEqual(new Set(times), new Set([BigInt(START_MS)]))
})

test('what is younger than min.compaction.lag.ms stays, and so does what is too little to pay', async () => {
  let nowMs = START_MS
  const lagging = { ...config, compaction: { ...policy, minLagMs: 1000 } }
  const { directory, log } = await openLog(openDisk(), lagging, { now: () => nowMs })
  await say(directory, log, ['a=1', 'a=2', ...filler])
  await log.compact(noRest)
  assert.equal(heard(log)[0], '0:a=1')
  nowMs += 1000
  await log.compact(noRest)
  assert.equal(heard(log)[0], '1:a=2')
  log.configure({ ...log.config, compaction: { ...policy, dirtyRatioMin: 0.99 } })
  await say(directory, log, ['a=3', ...filler])
  await log.compact(noRest)
  assert.equal(heard(log)[0], '1:a=2')
})

test('compression, and producers, survive', async () => {
  const { directory, log } = await openLog(openDisk(), config)
  const records = ['a=1', 'b=1'].map(recordOf)
  const producer = { producerId: 7n, producerEpoch: 0, baseSequence: 0 }
  log.append(encodeBatch(records, { compression: 'zstd', ...producer }).bytes, {
    zstdAllowed: true,
  })
  await say(directory, log, ['a=2', ...filler])
  await log.compact(noRest)
  assert.equal(heard(log)[0], '1:b=1')
  const again = encodeBatch(records, { compression: 'zstd', ...producer })
  const outcome = log.append(again.bytes, { zstdAllowed: true })
  assert.equal(outcome.kind, 'duplicate')
})

test('a log that is closed while it is compacted is whole when it is opened again', async () => {
  const disk = openDisk()
  const { directory, log } = await openLog(disk, config)
  await say(directory, log, ['a=1', 'a=2', ...filler, 'a=3', ...filler])
  const compacting = log.compact(noRest)
  await directory.close()
  await compacting
  const { log: opened } = await openLog(disk, config)
  assert.ok(heard(opened).includes('6:a=3'))
})

test('records of a compacted log are there after a power cut, whenever it comes', async () => {
  for (let seed = 1; seed <= 100; seed++) await new PowerCut(seed).run()
})

/** Says and compacts at random, cuts the power, and looks at what is left. */
class PowerCut {
  readonly #random: () => number
  readonly #said = new Map<string, { readonly offset: bigint; readonly value: string }>()
  #disk: FaultyDisk

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    const syncDelay = async () => {
      for (let turn = this.#upTo(4); turn > 0; turn--) await Promise.resolve()
    }
    this.#disk = new FaultyDisk({ now: () => START_MS, syncDelay })
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  async run(): Promise<void> {
    for (let life = 0; life < 4; life++) {
      const { directory, log } = await openLog(this.#disk, config)
      this.#check(log)
      for (let step = this.#upTo(12); step > 0; step--) await this.#step(directory, log)
      await say(directory, log, filler)
      if (this.#random() < 0.1) await directory.close()
      else log.compact(noRest).catch(() => {}) // The power fails while it runs.
      for (let turn = this.#upTo(300); turn > 0; turn--) await Promise.resolve()
      this.#disk = this.#disk.crash(this.#random() < 0.4 ? undefined : this.#random)
    }
    const { log } = await openLog(this.#disk, config)
    this.#check(log)
  }

  async #step(directory: LogDirectory, log: PartitionLog): Promise<void> {
    if (this.#random() < 0.3) {
      await log.compact(noRest)
      if (this.#random() < 0.5) await directory.checkpoint()
      return
    }
    const key = `k${this.#upTo(5)}`
    const value = 'x'.repeat(this.#upTo(80))
    const offset = log.logEndOffset
    await say(directory, log, [`${key}=${value}`])
    this.#said.set(key, { offset, value })
  }

  #check(log: PartitionLog): void {
    const found = new Map(recordsFrom(log, 0n).map((record) => [text(record.key), record]))
    for (const [key, { offset, value }] of this.#said) {
      const record = found.get(key)
      assert.equal(record?.offset, offset)
      assert.equal(text(record.value), value)
    }
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskError, type DiskFile, ROOT } from '../disk/disk.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import { LOG_CONFIG_DEFAULT } from './log-config.ts'
import { openDirectory, START_MS, TOPIC_ID } from './log-fixture.ts'

/** A disk on which so many files may be open at a time, like a process under `ulimit -n`. */
class NarrowDisk extends FaultyDisk {
  readonly #open = new Set<DiskFile>()
  readonly #openMax: number

  constructor(openMax: number) {
    super({ now: () => START_MS })
    this.#openMax = openMax
  }

  get openFiles(): number {
    return this.#open.size
  }

  override open(path: string): DiskFile {
    this.#assertRoom(path)
    const file = super.open(path)
    const close = file.close.bind(file)
    file.close = () => {
      this.#open.delete(file)
      close()
    }
    this.#open.add(file)
    return file
  }

  override list(path: string): readonly string[] | undefined {
    this.#assertRoom(path)
    return super.list(path)
  }

  override async syncDirectory(path: string): Promise<void> {
    this.#assertRoom(path)
    await super.syncDirectory(path)
  }

  #assertRoom(path: string): void {
    if (this.#open.size < this.#openMax) return
    throw new DiskError('failed', `${path}: EMFILE: too many open files`)
  }
}

test('partitions for which there are too few open files leave nothing, and can be made smaller', async () => {
  const disk = new NarrowDisk(50)
  const { directory } = await openDirectory(disk)
  const before = { openFiles: disk.openFiles, entries: disk.list(ROOT) }
  const wanted = { topic: 'orders', topicId: TOPIC_ID, config: LOG_CONFIG_DEFAULT }
  const numbers = Array.from({ length: 20 }, (_, index) => index)
  await assert.rejects(directory.createPartitions({ ...wanted, partitions: numbers }), /EMFILE/)
  assert.deepEqual({ openFiles: disk.openFiles, entries: disk.list(ROOT) }, before)
  const logs = await directory.createPartitions({ ...wanted, partitions: [0, 1] })
  assert.equal(logs.length, 2)
})

// One offset for each partition, in a text file of Kafka's form: version, count, lines of topic,
// partition and offset.

import { type Disk, ROOT } from '../disk/disk.ts'
import { readWhole, replaceWhole } from '../disk/whole-file.ts'
import { LogDamagedError } from './log-damaged-error.ts'

/** Offsets by the name of the partition's directory, `<topic>-<partition>`. */
export type OffsetsByPartition = ReadonlyMap<string, bigint>

export class OffsetCheckpoint {
  readonly #disk: Disk
  readonly #name: string
  #written: string | undefined

  constructor(disk: Disk, name: string) {
    this.#disk = disk
    this.#name = name
  }

  /**
   * What was written last; nothing when there is no file.
   * @throws LogDamagedError when the file is there and makes no sense
   */
  read(): Map<string, bigint> {
    const content = readWhole(this.#disk, ROOT, this.#name)
    const offsets = new Map<string, bigint>()
    if (content === undefined) return offsets
    const [version, count, ...lines] = new TextDecoder().decode(content).trimEnd().split('\n')
    for (const line of lines) {
      const [, topic, partition, offset] = /^(\S+) (\d+) (\d+)$/.exec(line) ?? []
      if (offset !== undefined) offsets.set(`${topic}-${partition}`, BigInt(offset))
    }
    if (version !== '0' || Number(count) !== lines.length || offsets.size !== lines.length) {
      throw new LogDamagedError(this.#disk.location(this.#name), 'the file cannot be understood')
    }
    return offsets
  }

  /** Puts new offsets in the place of the old ones. Durable when it resolves. */
  async write(offsets: OffsetsByPartition): Promise<void> {
    const lines = [...offsets].map(([name, offset]) => {
      const { topic, partition } = partitionOf(name)
      return `${topic} ${partition} ${offset}\n`
    })
    const text = `0\n${lines.length}\n${lines.join('')}`
    if (text === this.#written) return
    const place = { directory: ROOT, name: this.#name }
    await replaceWhole(this.#disk, place, new TextEncoder().encode(text))
    this.#written = text
  }
}

/** Topic and partition of a directory's name. */
function partitionOf(name: string): { readonly topic: string; readonly partition: number } {
  const cut = name.lastIndexOf('-')
  return { topic: name.slice(0, cut), partition: Number(name.slice(cut + 1)) }
}

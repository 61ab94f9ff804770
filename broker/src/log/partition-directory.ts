// The directory of one partition: its name, the topic id in it, and its end.

import { type Disk, joinPath, ROOT } from '../disk/disk.ts'
import { readWhole, replaceWhole } from '../disk/whole-file.ts'
import { LogDamagedError } from './log-damaged-error.ts'
import { offsetOfFileName } from './segment.ts'

/** A partition directory as found on opening. */
export interface PartitionDirectory {
  readonly topic: string
  readonly partition: number
  /** 16 bytes in base64url, as Kafka writes topic ids. */
  readonly topicId: string
}

const metadataName = 'partition.metadata'
const deletedSuffix = '-delete'

export function directoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/**
 * The partition directories on a disk. What a deletion or a creation that a crash interrupted left
 * behind is removed.
 */
export function findPartitionDirectories(disk: Disk): readonly PartitionDirectory[] {
  const found: PartitionDirectory[] = []
  for (const name of disk.list(ROOT) ?? []) {
    if (name.endsWith(deletedSuffix)) {
      removeDirectory(disk, name)
      continue
    }
    const [, topic, partition] = /^(.+)-(\d+)$/.exec(name) ?? []
    if (topic === undefined || disk.list(name) === undefined) continue
    const topicId = readTopicId(disk, name)
    if (topicId !== undefined) found.push({ topic, partition: Number(partition), topicId })
    else removeUnfinished(disk, name)
  }
  return found
}

/** Makes a partition's directory, with the topic id in it. The caller syncs its parent. */
export async function makePartitionDirectory(
  disk: Disk,
  { topic, partition, topicId }: PartitionDirectory,
): Promise<void> {
  const directory = directoryName(topic, partition)
  disk.makeDirectory(directory)
  const text = `version: 0\ntopic_id: ${topicId}\n`
  await replaceWhole(disk, { directory, name: metadataName }, new TextEncoder().encode(text))
}

/** Gives a directory up: from now on it is none of a partition. The caller syncs its parent. */
export function giveUpDirectory(disk: Disk, directory: string): string {
  const givenUp = `${directory}${deletedSuffix}`
  removeDirectory(disk, givenUp)
  disk.rename(directory, givenUp)
  return givenUp
}

export function removeDirectory(disk: Disk, directory: string): void {
  for (const name of disk.list(directory) ?? []) disk.remove(joinPath(directory, name))
  disk.remove(directory)
}

function readTopicId(disk: Disk, directory: string): string | undefined {
  const content = readWhole(disk, directory, metadataName)
  if (content === undefined) return undefined
  return /^topic_id: (\S+)$/m.exec(new TextDecoder().decode(content))?.[1]
}

/** A creation writes the topic id before any record can be stored. */
function removeUnfinished(disk: Disk, directory: string): void {
  for (const name of disk.list(directory) ?? []) {
    if (offsetOfFileName(name, '.log') === undefined) continue
    const file = disk.open(joinPath(directory, name))
    const { size } = file
    file.close()
    if (size > 0) {
      const location = disk.location(directory)
      throw new LogDamagedError(location, `${metadataName} is missing beside records`)
    }
  }
  removeDirectory(disk, directory)
}

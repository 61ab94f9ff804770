import { randomBytes } from 'node:crypto'
import type { PartitionLog } from '../log/partition-log.ts'
import type { ConfigValues } from './config.ts'

/** What is known of a topic without its records; the journal keeps it. */
export interface TopicFacts {
  readonly name: string
  /** 16 bytes in base64url, as Kafka writes them. */
  readonly topicId: string
  readonly partitionCount: number
  /** What was set for this topic. */
  readonly configs: ConfigValues
}

/** A topic that is open: the log of each partition, in the order of their numbers. */
export interface Topic extends TopicFacts {
  readonly partitions: readonly PartitionLog[]
}

/** Kafka's: a partition's directory must fit a file name. */
const nameLengthMax = 249

/** What is wrong with a topic's name; `undefined` when nothing is. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'a topic name must not be empty'
  if (name === '.' || name === '..') return `a topic name must not be "${name}"`
  if (name.length > nameLengthMax) {
    return `a topic name has at most ${nameLengthMax} characters, this one has ${name.length}`
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `topic name "${name}" holds more than letters, digits, ".", "_" and "-"`
  }
  return undefined
}

/**
 * Names that differ in "." and "_" only are one name in Kafka's metrics, so that it refuses the
 * second of them.
 */
export function collidingName(name: string): string {
  return name.replaceAll('.', '_')
}

/** A new topic id. Kafka's tools read a leading dash as an option, so none begins with one. */
export function newTopicId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

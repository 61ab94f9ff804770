import { slotCount } from '../limits.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { TopicPartition } from '../transport/transport.ts'

/** The slot of a key, by its hash: who owns it does what is due for the key. */
export function slotOf(hash: number): number {
  return hash % slotCount
}

/**
 * The slot of a partition: who owns it sends the outbox rows that go there. The slot hangs on the
 * partition and not on the key, so that a partition has one sender, with whole batches and one
 * position; a topic's partitions are in slots that follow each other.
 */
export function slotOfPartition({ topic, partition }: TopicPartition): number {
  return slotOf(keyHash(topic) + partition)
}

/** Every slot. */
export const allSlots: readonly number[] = Array.from({ length: slotCount }, (_, slot) => slot)

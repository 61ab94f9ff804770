import type { GroupPartitionsAssigner } from '@platformatic/kafka'

/**
 * Kafka's range assignor: each topic's partitions are dealt in consecutive runs to the members
 * in a fixed order. Topics with the same number of partitions are then dealt alike, so that all
 * topics of a stream bring a key to the same member (P4). Static members are ordered by nothing
 * but their member ids, which live as long as the membership does.
 */
export const assignRange: GroupPartitionsAssigner = (_current, members, _topics, metadata) => {
  const assignments = new Map(
    [...members.keys()]
      .sort()
      .map((memberId) => [memberId, new Map<string, { topic: string; partitions: number[] }>()]),
  )
  const topics = new Set([...members.values()].flatMap((member) => member.topics ?? []))
  for (const topic of [...topics].sort()) {
    const subscribed = [...assignments].filter(([memberId]) =>
      members.get(memberId)?.topics?.includes(topic),
    )
    const count = metadata.topics.get(topic)?.partitionsCount ?? 0
    for (const [index, [, assignment]] of subscribed.entries()) {
      const partitions = run(count, subscribed.length, index)
      if (partitions.length > 0) assignment.set(topic, { topic, partitions })
    }
  }
  return [...assignments].map(([memberId, assignment]) => ({ memberId, assignments: assignment }))
}

/** The `index`th of `members` runs of `count` partitions; the first ones take the remainder. */
function run(count: number, members: number, index: number): number[] {
  const share = Math.floor(count / members)
  const larger = count % members
  const start = index * share + Math.min(index, larger)
  return Array.from({ length: share + (index < larger ? 1 : 0) }, (_, offset) => start + offset)
}

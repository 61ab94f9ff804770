import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { lagQueryMsMax } from '../observe/limits.ts'
import type { TopicSource } from '../outbox/service-topics.ts'
import { timerTopics } from '../state/timer-event.ts'
import type { PartitionLag, Transport } from '../transport/transport.ts'

export type ListeningService = TopicSource & {
  readonly group: string
  readonly handlers: ReadonlyMap<string, unknown>
}

export interface GroupLag {
  readonly partitions: readonly PartitionLag[]
  /** Why Kafka did not tell; null where it did. */
  readonly unknown: string | null
}

export const noLag: GroupLag = { partitions: [], unknown: null }

/**
 * How far behind a service's group is on each partition that it listens to. It has an answer
 * within `lagQueryMsMax` in any case: whoever asks for the health of a service must not wait for
 * a Kafka that does not answer.
 */
export async function readGroupLag(
  transport: Pick<Transport, 'lag'>,
  service: ListeningService,
  clock: Clock,
): Promise<GroupLag> {
  const { group, catalogue, handlers } = service
  const heard = [...handlers.keys()].flatMap((name) => catalogue.routes.get(name)?.topic ?? [])
  const topics = [...heard, ...timerTopics(service).map(({ topic }) => topic)]
  if (topics.length === 0) return noLag
  const { promise: timeUp, resolve } = Promise.withResolvers<GroupLag>()
  const unknown = `Kafka did not tell the lag within ${lagQueryMsMax} ms`
  const timer = clock.after(lagQueryMsMax, () => resolve({ partitions: [], unknown }))
  const asked = transport.lag(group, [...new Set(topics)]).then(
    (partitions) => ({ partitions, unknown: null }),
    (error: unknown) => ({ partitions: [], unknown: messageOf(error) }),
  )
  const answer = await Promise.race([asked, timeUp])
  timer.cancel()
  return answer
}

import { openMemory } from '../src/transport/memory.ts'
import type { Consumption } from '../src/transport/transport.ts'
import type { consumerFixture } from './consumer-fixture.ts'

type Fixture = Pick<Awaited<ReturnType<typeof consumerFixture>>, 'cluster' | 'clock'>

/** Another instance of the fixture's group, which takes half of its partitions and reads nothing. */
export function joinGroup({ cluster, clock }: Fixture): Consumption {
  const topics = ['task.updated', 'task.completed']
  return openMemory(cluster, clock).consume({
    group: 'worker',
    instanceId: 'other',
    topics,
    streams: new Map(topics.map((topic) => [topic, 'task'])),
    listener: {
      assigned: async () => {},
      records: () => {},
      revoked: async () => {},
      lost: () => {},
      troubled: () => {},
      failed: () => {},
    },
  })
}

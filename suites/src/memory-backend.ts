import { MemoryCluster, openMemory, systemClock } from '@millrace/kit'
import type { TransportBackend } from './transport-conformance.ts'

/** A cluster in memory, by the system's clock. */
export async function memoryBackend(): Promise<TransportBackend> {
  const cluster = new MemoryCluster(systemClock)
  return {
    connect: () => openMemory(cluster, systemClock),
    deleteTopic: async (topic) => cluster.deleteTopic(topic),
    outage: {
      begin: async () => cluster.stop(),
      end: async () => cluster.start(),
      async wipe() {
        cluster.stop()
        cluster.wipe()
        cluster.start()
      },
    },
    async [Symbol.asyncDispose]() {
      cluster[Symbol.dispose]()
    },
  }
}

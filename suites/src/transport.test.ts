import { MemoryCluster, openMemory, systemClock } from '@millrace/kit'
import { embeddedBackend } from './embedded-backend.ts'
import { transportConformance } from './transport-conformance.ts'

transportConformance({
  name: 'memory',
  async open() {
    const cluster = new MemoryCluster(systemClock)
    return {
      connect: () => openMemory(cluster, systemClock),
      deleteTopic: async (topic) => cluster.deleteTopic(topic),
      outage: {
        begin: async () => cluster.stop(),
        end: async () => cluster.start(),
        wipe: async () => {
          cluster.stop()
          cluster.wipe()
          cluster.start()
        },
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})

transportConformance({ name: 'the embedded broker', open: embeddedBackend })

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '@millrace/broker'
import { openKafka } from '@millrace/kit'
import { Admin } from '@platformatic/kafka'
import type { TransportBackend } from './transport-conformance.ts'

/** An embedded broker on disk, that may be stopped, started again, and emptied. */
export async function embeddedBackend(): Promise<TransportBackend & { readonly broker: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  const storage = { directory }
  let broker = await startBroker({ storage })
  const { bootstrap } = broker
  const port = Number(bootstrap.split(':').at(-1))
  const begin = (): Promise<void> => broker.close()
  const end = async (): Promise<void> => {
    broker = await startBroker({ storage, listeners: [{ port }] })
  }
  return {
    broker: bootstrap,
    connect: () => openKafka({ brokers: [bootstrap], clientId: 'suite', tls: false, sasl: null }),
    async deleteTopic(topic) {
      const admin = new Admin({ clientId: 'suite', bootstrapBrokers: [bootstrap] })
      await admin.deleteTopics({ topics: [topic] })
      await admin.close()
    },
    outage: {
      begin,
      end,
      async wipe() {
        await begin()
        rmSync(directory, { recursive: true })
        await end()
      },
    },
    async [Symbol.asyncDispose]() {
      await broker.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

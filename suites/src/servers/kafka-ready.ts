import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import type { ServerProcess } from './server-process.ts'

/** Kafka takes 2 s on an idle machine; a minute is a machine that is busy with much else. */
const readyMsMax = 60_000
const retryMs = 100

/**
 * Waits until a Kafka serves: an open port says little, so a topic is made, and deleted again.
 * Fails when the process ends, with its last lines.
 */
export async function kafkaReady(
  server: ServerProcess,
  bootstrapServers: string,
  { replicas = 1 }: { readonly replicas?: number } = {},
): Promise<void> {
  const deadlineMs = performance.now() + readyMsMax
  for (;;) {
    const failure = await tryTopic(bootstrapServers, replicas)
    if (failure === null) return
    if (!server.running()) throw new Error(`${server.name} ended:\n${server.lastLines()}`)
    if (performance.now() > deadlineMs) {
      throw new Error(`${server.name} was not ready in ${readyMsMax / 1000} s`, { cause: failure })
    }
    await sleep(retryMs)
  }
}

async function tryTopic(bootstrapServers: string, replicas: number): Promise<Error | null> {
  const admin = new Admin({
    clientId: 'readiness',
    bootstrapBrokers: bootstrapServers.split(','),
    retries: 0,
    connectTimeout: 1000,
  })
  try {
    const topic = 'readiness'
    await admin.createTopics({ topics: [topic], partitions: 1, replicas })
    await admin.deleteTopics({ topics: [topic] })
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await admin.close().catch(() => {})
  }
}

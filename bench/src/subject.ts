import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  cacheFolder,
  freePorts,
  kafka4Version,
  startKafka4,
  startServerProcess,
} from '@millrace/suites/servers'

/** A server that is measured. */
export interface Subject {
  readonly name: string
  /** Starts it on an empty folder, and does not wait until it answers. */
  start(): Promise<RunningSubject>
}

export interface RunningSubject extends AsyncDisposable {
  readonly port: number
  readonly processId: number
  /** On the clock of `performance.now()`. */
  readonly spawnedAtMs: number
}

/** What Kafka's own start script gives to Java. */
const kafkaFlags = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
]

export const apacheKafka: Subject = {
  name: `Kafka ${kafka4Version}`,
  async start() {
    const server = await startKafka4({ heapFlags: kafkaFlags, waitUntilReady: false })
    const spawnedAtMs = performance.now()
    return {
      port: Number(server.bootstrapServers.split(':').at(-1)),
      processId: server.processId,
      spawnedAtMs,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

const serve = fileURLToPath(import.meta.resolve('@millrace/broker/serve'))

/** The embedded broker as a process of its own, as `millrace start` runs it. */
export function embedded(flush: 'ack' | 'os'): Subject {
  return {
    name: `embedded, flush ${flush}`,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'embedded-'))
      const [port = 0] = await freePorts(1)
      const spawnedAtMs = performance.now()
      const server = startServerProcess({
        name: 'embedded broker',
        folder,
        command: process.execPath,
        // As `millrace start` runs it: what Node compiled at an earlier start is still there, and
        // the young generation is small.
        environment: { NODE_COMPILE_CACHE: cacheFolder('compile-cache') },
        args: [
          '--max-semi-space-size=1',
          serve,
          `--port=${port}`,
          `--data=${join(folder, 'data')}`,
          `--flush=${flush}`,
        ],
      })
      return {
        port,
        processId: server.id,
        spawnedAtMs,
        async [Symbol.asyncDispose]() {
          // Node writes what it compiled when a process ends in order.
          await server.end()
          await rm(folder, { recursive: true, force: true })
        },
      }
    },
  }
}

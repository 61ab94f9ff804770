import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import type { KafkaServer } from './kafka-4.ts'
import { kafkaReady } from './kafka-ready.ts'
import { quiet, smallHeap } from './kafka-tool.ts'
import { bringMavenLibs } from './maven-libs.ts'
import { propertiesText, singleNodeProperties } from './properties.ts'
import { startServerProcess } from './server-process.ts'

const kafka3Version = '3.5.2'

/** The jars of Apache Kafka 3.5.2 and of the ZooKeeper that it needs. */
export function bringKafka3(): Promise<string> {
  return bringMavenLibs(`kafka-${kafka3Version}`, [
    `org.apache.kafka:kafka_2.13:${kafka3Version}`,
    'org.slf4j:slf4j-simple:1.7.36',
  ])
}

/** A Kafka that still has ZooKeeper, 3.5.2: two processes on an empty folder. */
export async function startKafka3(): Promise<KafkaServer> {
  const java = [quiet, smallHeap, '-cp', `${await bringKafka3()}/*`]
  const folder = await mkdtemp(join(tmpdir(), 'kafka-3-'))
  const [port, zookeeperPort] = await freePorts(2)
  const bootstrapServers = `127.0.0.1:${port}`
  const zookeeperProperties = join(folder, 'zookeeper.properties')
  const kafkaProperties = join(folder, 'server.properties')
  await writeFile(
    zookeeperProperties,
    propertiesText({
      dataDir: join(folder, 'zookeeper'),
      clientPort: String(zookeeperPort),
      clientPortAddress: '127.0.0.1',
      'admin.enableServer': 'false',
    }),
  )
  await writeFile(
    kafkaProperties,
    propertiesText({
      'broker.id': 1,
      'zookeeper.connect': `127.0.0.1:${zookeeperPort}`,
      listeners: `PLAINTEXT://${bootstrapServers}`,
      'log.dirs': join(folder, 'data'),
      ...singleNodeProperties,
    }),
  )
  // Kafka tries to reach ZooKeeper until it answers, so the two start together.
  const zookeeper = startServerProcess({
    name: 'ZooKeeper',
    folder,
    command: 'java',
    args: [
      '-Xmx128m',
      ...java,
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      zookeeperProperties,
    ],
  })
  const kafka = startServerProcess({
    name: `Apache Kafka ${kafka3Version}`,
    folder,
    command: 'java',
    args: ['-Xmx384m', ...java, 'kafka.Kafka', kafkaProperties],
  })
  const stop = async () => {
    await Promise.all([kafka.stop(), zookeeper.stop()])
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await kafkaReady(kafka, bootstrapServers)
  } catch (error) {
    await stop()
    throw error
  }
  return { bootstrapServers, processId: kafka.id, [Symbol.asyncDispose]: stop }
}

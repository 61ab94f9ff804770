import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { freePorts } from './free-ports.ts'
import { kafkaReady } from './kafka-ready.ts'
import { quiet, smallHeap } from './kafka-tool.ts'
import { bringMavenLibs } from './maven-libs.ts'
import { propertiesText, singleNodeProperties } from './properties.ts'
import { runChecked } from './run-command.ts'
import { startServerProcess } from './server-process.ts'

export const kafka4Version = '4.3.0'

/** Who may log in on the SASL listener: one user for PLAIN, one for both SCRAM mechanisms. */
export const saslUsers = {
  plain: { username: 'alice', password: 'alice-secret' },
  scram: { username: 'bob', password: 'bob-secret' },
}

export interface KafkaServer extends AsyncDisposable {
  readonly bootstrapServers: string
  /** The id of the broker's own process. */
  readonly processId: number
}

export interface Kafka4Server extends KafkaServer {
  /** A listener that wants SASL without TLS: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  readonly saslBootstrapServers: string
  /** One that wants the same over TLS. */
  readonly saslTlsBootstrapServers: string
  /** The PEM file of the authority that signed its certificate. */
  readonly caFile: string
}

/** The jars of Apache Kafka 4.3.0: the broker, the clients and all of its tools. */
export function bringKafka4(): Promise<string> {
  return bringMavenLibs(`kafka-${kafka4Version}`, [
    `org.apache.kafka:kafka_2.13:${kafka4Version}`,
    `org.apache.kafka:kafka-tools:${kafka4Version}`,
    'org.slf4j:slf4j-simple:1.7.36',
  ])
}

/** Enough for tests, and small: the bench gives what Kafka's own start script gives. */
const heapFlagsOfTests = ['-Xmx512m', smallHeap]

/**
 * One node of Apache Kafka 4.3.0, broker and controller in one process, on an empty folder. With
 * `waitUntilReady: false` it is given as soon as its process exists.
 */
export async function startKafka4(
  options: { readonly heapFlags?: readonly string[]; readonly waitUntilReady?: boolean } = {},
): Promise<Kafka4Server> {
  const java = [quiet, '-cp', `${await bringKafka4()}/*`]
  const folder = await mkdtemp(join(tmpdir(), 'kafka-4-'))
  const listeners = await freeListeners()
  const properties = join(folder, 'server.properties')
  const certificate = await makeCertificate(folder)
  await writeFile(
    properties,
    propertiesText(serverProperties(folder, listeners, certificate.keystore)),
  )
  // An id may begin with "-": as a word of its own it would be taken for an option.
  const clusterId = `--cluster-id=${randomBytes(16).toString('base64url')}`
  const format = ['kafka.tools.StorageTool', 'format', clusterId, '-c', properties]
  await runChecked('java', [...java, ...format, ...scramUsers()])
  const server = startServerProcess({
    name: `Apache Kafka ${kafka4Version}`,
    folder,
    command: 'java',
    args: [...(options.heapFlags ?? heapFlagsOfTests), ...java, 'kafka.Kafka', properties],
  })
  const stop = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    if (options.waitUntilReady !== false) await kafkaReady(server, listeners.plain)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    bootstrapServers: listeners.plain,
    saslBootstrapServers: listeners.sasl,
    saslTlsBootstrapServers: listeners.saslTls,
    caFile: certificate.ca,
    processId: server.id,
    [Symbol.asyncDispose]: stop,
  }
}

interface Listeners {
  readonly plain: string
  readonly sasl: string
  readonly saslTls: string
  readonly controller: string
}

async function freeListeners(): Promise<Listeners> {
  const [plain, sasl, saslTls, controller] = await freePorts(4)
  return {
    plain: `127.0.0.1:${plain}`,
    sasl: `127.0.0.1:${sasl}`,
    saslTls: `127.0.0.1:${saslTls}`,
    controller: `127.0.0.1:${controller}`,
  }
}

function serverProperties(
  folder: string,
  { plain, sasl, saslTls, controller }: Listeners,
  keystore: string,
): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${controller}`,
    listeners: [
      `PLAINTEXT://${plain}`,
      `SASL_PLAINTEXT://${sasl}`,
      `SASL_SSL://${saslTls}`,
      `CONTROLLER://${controller}`,
    ].join(),
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      'PLAINTEXT:PLAINTEXT',
      'SASL_PLAINTEXT:SASL_PLAINTEXT',
      'SASL_SSL:SASL_SSL',
    ].join(),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    ...singleNodeProperties,
    ...saslProperties(),
  }
}

function saslProperties(): Record<string, string> {
  const { username, password } = saslUsers.plain
  const security = 'org.apache.kafka.common.security'
  const plain = `${security}.plain.PlainLoginModule required user_${username}="${password}";`
  const scram = `${security}.scram.ScramLoginModule required;`
  const byListener = ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) =>
    Object.entries({ plain, 'scram-sha-256': scram, 'scram-sha-512': scram }).map(
      ([mechanism, module]) => [`listener.name.${listener}.${mechanism}.sasl.jaas.config`, module],
    ),
  )
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...Object.fromEntries(byListener),
  }
}

/** SCRAM users are made while the storage is formatted. */
function scramUsers(): string[] {
  const { username, password } = saslUsers.scram
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '-S',
    `${mechanism}=[name=${username},password=${password}]`,
  ])
}

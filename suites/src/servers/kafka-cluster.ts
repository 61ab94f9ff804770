import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { bringKafka4, kafka4Version } from './kafka-4.ts'
import { kafkaReady } from './kafka-ready.ts'
import { quiet, smallHeap } from './kafka-tool.ts'
import { propertiesText } from './properties.ts'
import { runChecked } from './run-command.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

export interface KafkaCluster extends AsyncDisposable {
  readonly bootstrapServers: string
  readonly nodeIds: readonly number[]
  /** As `kill -9`: its partitions get other leaders, its groups another coordinator. */
  kill(nodeId: number): Promise<void>
  /** Starts a broker that was killed, on its data; it is back once `settled` resolves. */
  restart(nodeId: number): Promise<void>
  /** Resolves when a topic of three replicas can be made. */
  settled(): Promise<void>
}

interface Node {
  readonly nodeId: number
  readonly folder: string
  readonly address: string
  readonly controller: string
}

/**
 * Three brokers of Apache Kafka, three replicas of everything and `min.insync.replicas` 2, so
 * that any one of them may go. A dead one is noticed after six seconds.
 */
export async function startKafkaCluster(): Promise<KafkaCluster> {
  const java = [quiet, smallHeap, '-cp', `${await bringKafka4()}/*`]
  const folder = await mkdtemp(join(tmpdir(), 'kafka-cluster-'))
  const nodes = await makeNodes(folder)
  // An id may begin with "-": as a word of its own it would be taken for an option.
  const clusterId = `--cluster-id=${randomBytes(16).toString('base64url')}`
  for (const node of nodes) {
    const file = propertiesFile(node)
    await writeFile(file, propertiesText(nodeProperties(node, nodes)))
    const format = ['kafka.tools.StorageTool', 'format', clusterId, '-c', file]
    await runChecked('java', [...java, ...format])
  }
  const start = (node: Node): ServerProcess =>
    startServerProcess({
      name: `Apache Kafka ${kafka4Version} node ${node.nodeId}`,
      folder: node.folder,
      command: 'java',
      args: ['-Xmx384m', ...java, 'kafka.Kafka', propertiesFile(node)],
    })
  const running = new Map(nodes.map((node) => [node.nodeId, start(node)]))
  const stop = async () => {
    await Promise.all([...running.values()].map((server) => server.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  const bootstrapServers = nodes.map(({ address }) => address).join()
  const settled = async () => {
    const [first] = running.values()
    if (first === undefined) throw new Error('no broker runs')
    await kafkaReady(first, bootstrapServers, { replicas: nodes.length })
  }
  try {
    await settled()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    bootstrapServers,
    nodeIds: nodes.map(({ nodeId }) => nodeId),
    async kill(nodeId) {
      await running.get(nodeId)?.stop()
      running.delete(nodeId)
    },
    async restart(nodeId) {
      const node = nodes.find((one) => one.nodeId === nodeId)
      if (node !== undefined && !running.has(nodeId)) running.set(nodeId, start(node))
    },
    settled,
    [Symbol.asyncDispose]: stop,
  }
}

async function makeNodes(folder: string): Promise<readonly Node[]> {
  const ports = await freePorts(6)
  return Promise.all(
    [1, 2, 3].map(async (nodeId) => {
      const ownFolder = join(folder, `node-${nodeId}`)
      await mkdir(ownFolder)
      const [port, controllerPort] = [ports[nodeId - 1], ports[nodeId + 2]]
      const address = `127.0.0.1:${port}`
      return { nodeId, folder: ownFolder, address, controller: `127.0.0.1:${controllerPort}` }
    }),
  )
}

function propertiesFile({ folder }: Node): string {
  return join(folder, 'server.properties')
}

function nodeProperties(
  { nodeId, folder, address, controller }: Node,
  nodes: readonly Node[],
): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': nodes.map((node) => `${node.nodeId}@${node.controller}`).join(),
    listeners: `PLAINTEXT://${address},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${address}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'default.replication.factor': 3,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': 3,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    'transaction.state.log.num.partitions': 3,
    'broker.session.timeout.ms': 6_000,
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 4,
  }
}

import { type Environment, readKafkaConfig, type System, systemClock } from '@millrace/kit'
import { type Command, dataOption, type ExitCode, type Input, jsonOption } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { type Addresses, assignAddresses } from '../host/addresses.ts'
import { announcement } from '../host/announcement.ts'
import { claimDataDirectory, type DataDirectory, dataDirectoryAt } from '../host/data-directory.ts'
import { findSystems } from '../host/find-systems.ts'
import { checkPortsFree } from '../host/free-ports.ts'
import { type Host, startHost } from '../host/host.ts'
import { checkKafka } from '../host/kafka-check.ts'
import { operatingLines } from '../host/operating-lines.ts'
import { type HostOverview, type KafkaPlace, overviewOf } from '../host/overview.ts'
import { untilAborted } from '../host/until-aborted.ts'
import { jsonLine } from '../output/json.ts'
import { withSpinner } from '../output/spinner.ts'
import type { Terminal } from '../output/terminal.ts'

export const command: Command = {
  positionals: [
    {
      name: 'system',
      text: 'its directory under systems/, or a path to a file that exports it (default: all)',
      required: false,
    },
  ],
  options: {
    'port-offset': { kind: 'integer', value: 'N', text: 'add N to every port' },
    data: dataOption,
    json: jsonOption,
  },
  notes: [
    'Where there is no system at all, the broker starts alone.',
    'With KAFKA_BROKERS set the services use that Kafka, and the embedded broker stays off. Other ' +
      'KAFKA_* variables: KAFKA_SSL, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, ' +
      'KAFKA_SASL_MECHANISM, KAFKA_CLIENT_ID, KAFKA_LOG_LEVEL, KAFKA_ENABLED.',
    'Ctrl-C lets everything finish what runs, and ends; a second Ctrl-C ends at once. With --json ' +
      'it prints one line with all addresses once everything runs.',
  ],
  examples: [
    'millrace start',
    'millrace start todo --port-offset 100 --data ./elsewhere',
    'millrace start ./my-system.ts',
    'KAFKA_BROKERS=localhost:9092 millrace start',
  ],
  async run(input, terminal) {
    const paths = dataDirectoryAt(input.text('data'), terminal.currentDirectory)
    const plan = await planOf(input, terminal, paths)
    const lock = claimDataDirectory(paths, systemClock.nowMs())
    try {
      await checkPortsFree(plan.addresses.places, input.integer('port-offset') ?? 0)
      return await host(plan, input, terminal)
    } finally {
      lock.release()
    }
  },
}

const noSystems = 'there is no systems/*/system.ts here'
const byPath = 'millrace start ./my-system.ts'

interface Plan {
  readonly systems: readonly System[]
  readonly addresses: Addresses
  readonly overview: HostOverview
  readonly paths: DataDirectory
  readonly env: Environment
}

/** Everything that can be found wrong before the disk and the network are touched. */
async function planOf(input: Input, terminal: Terminal, paths: DataDirectory): Promise<Plan> {
  const { currentDirectory } = terminal
  const config = readKafkaConfig(terminal.env)
  const isEmbedded = config.enabled && !terminal.env['KAFKA_BROKERS']?.trim()
  const systems = await findSystems(input.positionals[0], currentDirectory)
  if (systems.length === 0) {
    if (!isEmbedded) throw new CommandFailure(`${noSystems}; name one: ${byPath}`)
    terminal.note(`${noSystems}: the broker starts alone (a system of yours: ${byPath})`)
  }
  const portOffset = input.integer('port-offset') ?? 0
  const addresses = assignAddresses(systems, { portOffset, embeddedBroker: isEmbedded })
  const kafka: KafkaPlace = isEmbedded
    ? { kind: 'embedded', brokers: addresses.broker.map((port) => `localhost:${port}`) }
    : { kind: config.enabled ? 'existing' : 'off', brokers: config.enabled ? config.brokers : [] }
  const env = isEmbedded
    ? { ...terminal.env, KAFKA_BROKERS: `localhost:${addresses.broker[0]}` }
    : terminal.env
  const lines = operatingLines({
    env: terminal.env,
    currentDirectory,
    paths,
    isDefaultDirectory: input.text('data') === undefined,
    kafka,
  })
  const { root: dataDirectory, logFile } = paths
  const overview = overviewOf({ systems, addresses, kafka, dataDirectory, logFile, lines })
  return { systems, addresses, overview, paths, env }
}

/** Runs until Ctrl-C. */
async function host(plan: Plan, input: Input, terminal: Terminal): Promise<ExitCode> {
  const { overview, env } = plan
  const options = { ...plan, kafka: readKafkaConfig(env), clock: systemClock, say: terminal.note }
  const running = await withSpinner({ terminal, clock: systemClock, text: 'starting' }, async () =>
    startHost(options),
  )
  if (input.flag('json')) {
    await terminal.print(jsonLine(overview))
  } else {
    for (const line of announcement(overview, terminal)) await terminal.print(line)
  }
  if (overview.kafka.kind === 'existing') {
    await checkKafka(options.kafka, { say: terminal.note, signal: terminal.interrupted })
  }
  await untilAborted(terminal.interrupted)
  return end(running, terminal)
}

async function end(running: Host, terminal: Terminal): Promise<ExitCode> {
  terminal.note('stopping …')
  const outcome = await running.stop()
  switch (outcome.kind) {
    case 'stopped':
      return 0
    case 'failed':
      return 1
    case 'late':
      terminal.note(`${outcome.names.join(', ')} did not finish; ended all the same`)
      running.kill()
      return 1
    default:
      return outcome satisfies never
  }
}

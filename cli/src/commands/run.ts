import { type Environment, type System, startService, systemClock } from '@millrace/kit'
import { type Command, dataOption } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { dataDirectoryAt } from '../host/data-directory.ts'
import { findSystems } from '../host/find-systems.ts'
import { stopInOrder } from '../host/stop.ts'
import { untilAborted } from '../host/until-aborted.ts'
import { nearest } from '../nearest.ts'

export const command: Command = {
  positionals: [
    {
      name: 'system',
      text: 'its directory under systems/, or a path to a file that exports it',
      required: true,
    },
    { name: 'service', text: 'which of its services', required: true },
  ],
  options: {
    port: { kind: 'integer', value: 'N', text: "its HTTP port (default: PORT, else the system's)" },
    data: dataOption,
  },
  notes: [
    'Everything else comes from environment variables: KAFKA_BROKERS and the other KAFKA_* ' +
      'variables, and what the service itself asks for. Its log goes to standard output, a line ' +
      'of JSON each. SIGTERM and Ctrl-C let it finish what runs.',
  ],
  examples: [
    'KAFKA_BROKERS=localhost:9092 SERVICE_TOKEN=… millrace run todo auth-service --port 8084',
  ],
  async run(input, terminal) {
    const [wanted, name = ''] = input.positionals
    const [system] = await findSystems(wanted, terminal.currentDirectory)
    const { service, port } = placeOf(system, name)
    const running = await startService(service, {
      directory: dataDirectoryAt(input.text('data'), terminal.currentDirectory).services,
      env: terminal.env,
      port: input.integer('port') ?? portIn(terminal.env) ?? port,
    })
    const urls = running.servers.flatMap((server) => server.urls ?? [])
    terminal.note(`${name} runs${urls.length === 0 ? '' : ` at ${urls.join(', ')}`}`)
    await untilAborted(terminal.interrupted)
    const options = { clock: systemClock, say: terminal.note }
    const outcome = await stopInOrder([[running]], options)
    return outcome.kind === 'stopped' ? 0 : 1
  },
}

function placeOf(system: System | undefined, name: string): System['services'][number] {
  const places = system?.services ?? []
  const place = places.find(({ service }) => service.name === name)
  if (place) return place
  const names = places.map(({ service }) => service.name)
  const guess = nearest(name, names)
  throw new CommandFailure(
    `system "${system?.name}" has no service "${name}": ` +
      (guess === undefined ? `it has ${names.join(', ')}` : `did you mean "${guess}"?`),
  )
}

/** The customary variable of platforms that choose the port. */
function portIn(env: Environment): number | undefined {
  const text = env['PORT'] || undefined
  if (text === undefined) return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port
  throw new CommandFailure(`PORT is "${text}"; it is a number from 1 to 65535`)
}

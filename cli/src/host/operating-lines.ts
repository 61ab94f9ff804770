import type { Environment } from '@millrace/kit'
import { nearPath } from './announcement.ts'
import type { DataDirectory } from './data-directory.ts'
import type { KafkaPlace, OperatingLines } from './overview.ts'

export interface LinesOptions {
  readonly env: Environment
  readonly currentDirectory: string
  readonly paths: DataDirectory
  /** Whether the data directory is the default one. */
  readonly isDefaultDirectory: boolean
  readonly kafka: KafkaPlace
}

/** Lines that repeat how this host was started: by npm or by name, with which options. */
export function operatingLines(options: LinesOptions): OperatingLines {
  const { env, currentDirectory, paths, isDefaultDirectory, kafka } = options
  const byNpm = env['npm_lifecycle_event'] === 'start'
  const data = isDefaultDirectory ? '' : ` --data ${nearPath(paths.root, currentDirectory)}`
  const [broker = 'localhost:9092'] = kafka.brokers
  // The commands look at KAFKA_BROKERS, or else at the default address, by themselves.
  const isFound = kafka.kind !== 'embedded' || broker === 'localhost:9092'
  return {
    reset: byNpm ? `npm run reset${data === '' ? '' : ` --${data}`}` : `npx millrace reset${data}`,
    useKafka: `KAFKA_BROKERS=broker.example.com:9092 ${byNpm ? 'npm start' : 'npx millrace start'}`,
    cli: 'npx millrace',
    brokersOption: isFound ? '' : ` --brokers ${broker}`,
  }
}

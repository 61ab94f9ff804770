import type { AddressOf, Hint, System } from '@millrace/kit'
import type { Addresses } from './addresses.ts'

/** What a host runs, and where: for the table in the terminal and for the start page. */
export interface HostOverview {
  readonly startPage: string
  readonly kafka: KafkaPlace
  readonly systems: readonly SystemOverview[]
  /** Absolute. */
  readonly dataDirectory: string
  /** Absolute. */
  readonly logFile: string
  readonly lines: OperatingLines
}

/**
 * `embedded`: ours, which starts and ends with the host. `existing`: what KAFKA_BROKERS names.
 * `off`: KAFKA_ENABLED is false.
 */
export interface KafkaPlace {
  readonly kind: 'embedded' | 'existing' | 'off'
  /** `host:port` each; none where it is off. */
  readonly brokers: readonly string[]
}

export interface SystemOverview {
  readonly name: string
  readonly title: string
  readonly services: readonly ServicePlaceOverview[]
  readonly servers: readonly DevelopmentServerOverview[]
  readonly tryFirst: readonly Hint[]
  readonly failOnPurpose: readonly Hint[]
}

export interface ServicePlaceOverview {
  readonly name: string
  readonly url: string
}

export interface DevelopmentServerOverview {
  readonly name: string
  readonly title: string
  /** Where its page is, if it has one. */
  readonly page: string | undefined
  /** Its other ports: `smtp localhost:1025`. */
  readonly ports: readonly string[]
}

/** Lines to paste, as they are right for how this host was started. */
export interface OperatingLines {
  readonly reset: string
  readonly useKafka: string
  readonly cli: string
  /** `--brokers …` where the default would miss this host's broker, else empty. */
  readonly brokersOption: string
}

export interface OverviewOptions {
  readonly systems: readonly System[]
  readonly addresses: Addresses
  readonly kafka: KafkaPlace
  readonly dataDirectory: string
  readonly logFile: string
  readonly lines: OperatingLines
}

export function overviewOf(options: OverviewOptions): HostOverview {
  const { systems, addresses, kafka, dataDirectory, logFile, lines } = options
  return {
    startPage: `http://localhost:${addresses.startPage}`,
    kafka,
    systems: systems.map((system) => systemOverview(system, addresses.addressOf, lines)),
    dataDirectory,
    logFile,
    lines,
  }
}

function systemOverview(
  system: System,
  addressOf: AddressOf,
  lines: OperatingLines,
): SystemOverview {
  const hints = (given: readonly Hint[]) => given.map((hint) => forThisHost(hint, lines))
  return {
    name: system.name,
    title: system.title,
    services: system.services.map(({ service }) => ({
      name: service.name,
      url: addressOf(service.name),
    })),
    servers: system.development.map(({ name, title, ports, page }) => ({
      name,
      title,
      page: page === undefined ? undefined : addressOf(name, page),
      ports: Object.keys(ports)
        .filter((port) => port !== page)
        .map((port) => `${port} ${addressOf(name, port)}`),
    })),
    tryFirst: hints(system.tryFirst(addressOf)),
    failOnPurpose: hints(system.failOnPurpose?.(addressOf) ?? []),
  }
}

/** A system does not know where this host's broker is; our own commands have to. */
function forThisHost({ text, command }: Hint, { brokersOption }: OperatingLines): Hint {
  const isOurs = (line: string) => /^(npx )?millrace (?!start|run|reset)/.test(line)
  const commands = command.split('\n').map((line) => (isOurs(line) ? line + brokersOption : line))
  return { text, command: commands.join('\n') }
}

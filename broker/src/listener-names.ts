// Kafka's notation of listeners: `INTERNAL://0.0.0.0:29092,EXTERNAL://:9092`. A name joins what is
// listened at with what clients are told.

import type { ListenerSettings } from './listen.ts'

export const defaultPort = 9092

export interface ListenerNames {
  /** `KAFKA_LISTENERS` */
  readonly listeners: string
  /** `KAFKA_ADVERTISED_LISTENERS`; may be empty. */
  readonly advertised: string
  /** `KAFKA_LISTENER_SECURITY_PROTOCOL_MAP`; may be empty. */
  readonly protocols: string
}

export type ListenersOutcome =
  | { readonly kind: 'read'; readonly listeners: readonly ListenerSettings[] }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }

interface NamedAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** The name that Kafka's images give to the listener of controllers, of which there are none. */
const controllerName = 'CONTROLLER'

export function readListeners(names: ListenerNames): ListenersOutcome {
  const problems: string[] = []
  const listened = addressesIn('KAFKA_LISTENERS', names.listeners, problems)
  const advertised = addressesIn('KAFKA_ADVERTISED_LISTENERS', names.advertised, problems)
  const protocols = protocolsIn(names.protocols)
  const served = listened.filter(({ name }) => name !== controllerName)
  for (const { name } of served) {
    const protocol = protocols.get(name) ?? (name === 'SSL' || name.startsWith('SASL') ? name : '')
    if (protocol === '' || protocol === 'PLAINTEXT') continue
    problems.push(`listener ${name} wants ${protocol}: this broker speaks PLAINTEXT only`)
  }
  for (const { name } of advertised) {
    if (listened.some((listener) => listener.name === name)) continue
    problems.push(`KAFKA_ADVERTISED_LISTENERS names ${name}, which KAFKA_LISTENERS does not`)
  }
  if (served.length === 0 && problems.length === 0) {
    problems.push('KAFKA_LISTENERS names no listener for clients')
  }
  if (problems.length > 0) return { kind: 'wrong', problems }
  return { kind: 'read', listeners: served.map((address) => settingsOf(address, advertised)) }
}

function settingsOf(
  { name, host, port }: NamedAddress,
  advertised: readonly NamedAddress[],
): ListenerSettings {
  const told = advertised.find((address) => address.name === name)
  // As in Kafka, no host means all addresses of the machine.
  const settings = { host: host === '' ? '0.0.0.0' : host, port }
  if (told === undefined) return settings
  const advertisedHost = told.host === '' ? 'localhost' : told.host
  return { ...settings, advertisedHost, advertisedPort: told.port }
}

function addressesIn(variable: string, text: string, problems: string[]): NamedAddress[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const match = /^([A-Za-z0-9_]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(part)
      const [, name = '', literal, host = '', port = ''] = match ?? []
      if (match !== null) {
        return [{ name: name.toUpperCase(), host: literal ?? host, port: Number(port) }]
      }
      problems.push(`${variable}: "${part}" is not of the form NAME://host:port`)
      return []
    })
}

/** `INTERNAL:PLAINTEXT,EXTERNAL:SSL` */
function protocolsIn(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((part): [string, string] => {
    const [name = '', protocol = ''] = part.trim().toUpperCase().split(':')
    return [name, protocol]
  })
  return new Map(pairs)
}

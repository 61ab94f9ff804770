import type { AddressOf, System } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'

/** The ports that every host has, before `--port-offset`: design §4 and the start page. */
const startPagePort = 4000
const brokerPorts: readonly number[] = [9092, 29092]
const portMax = 65_535

/** One port that the host is about to use, and the part of the program that listens there. */
export interface PortPlace {
  readonly part: string
  readonly port: number
}

/** Where everything listens. All of it is on this machine only. */
export interface Addresses {
  readonly startPage: number
  /** Empty where services use a Kafka that is already there. */
  readonly broker: readonly number[]
  /** By name of the service or development server, then by name of the port. */
  readonly ports: ReadonlyMap<string, Readonly<Record<string, number>>>
  /** All of them, for the look whether they are free. */
  readonly places: readonly PortPlace[]
  readonly addressOf: AddressOf
}

export interface AddressOptions {
  readonly portOffset: number
  readonly embeddedBroker: boolean
}

/**
 * Gives each part its port: the one that its system names, moved by the offset.
 * @throws CommandFailure when two parts want one port or one name, or a port is past the last
 */
export function assignAddresses(
  systems: readonly System[],
  { portOffset, embeddedBroker }: AddressOptions,
): Addresses {
  const moved = (port: number) => port + portOffset
  const broker = embeddedBroker ? brokerPorts.map(moved) : []
  const ports = new Map<string, Readonly<Record<string, number>>>()
  const places: PortPlace[] = [
    { part: 'the start page', port: moved(startPagePort) },
    ...broker.map((port) => ({ part: 'the embedded broker', port })),
  ]
  for (const { name, kind, own } of partsOf(systems)) {
    if (ports.has(name)) {
      throw new CommandFailure(`two parts are named "${name}"; start their systems one at a time`)
    }
    const movedPorts = Object.fromEntries(
      Object.entries(own).map(([portName, port]) => [portName, moved(port)]),
    )
    ports.set(name, movedPorts)
    for (const port of Object.values(movedPorts)) places.push({ part: `${kind} ${name}`, port })
  }
  checkPlaces(places)
  return { startPage: moved(startPagePort), broker, ports, places, addressOf: lookUp(ports) }
}

interface Part {
  readonly name: string
  readonly kind: string
  readonly own: Readonly<Record<string, number>>
}

function partsOf(systems: readonly System[]): readonly Part[] {
  return systems.flatMap((system) => [
    ...system.services.map(({ service, port }) => ({
      name: service.name,
      kind: 'service',
      own: { http: port },
    })),
    ...system.development.map(({ name, ports }) => ({
      name,
      kind: 'development server',
      own: ports,
    })),
  ])
}

function checkPlaces(places: readonly PortPlace[]): void {
  const taken = new Map<number, string>()
  for (const { part, port } of places) {
    if (port > portMax) {
      throw new CommandFailure(
        `${part} would listen on port ${port}, past ${portMax}: choose a smaller --port-offset`,
      )
    }
    const other = taken.get(port)
    if (other !== undefined) {
      throw new CommandFailure(
        `${other} and ${part} both want port ${port}; start their systems one at a time`,
      )
    }
    taken.set(port, part)
  }
}

/** HTTP ports are given as URLs, others as `host:port`. */
function lookUp(ports: Addresses['ports']): AddressOf {
  return (name, portName = 'http') => {
    const port = ports.get(name)?.[portName]
    if (port === undefined) {
      throw new CommandFailure(`no part "${name}" of these systems has a port "${portName}"`)
    }
    return portName === 'http' ? `http://localhost:${port}` : `localhost:${port}`
  }
}

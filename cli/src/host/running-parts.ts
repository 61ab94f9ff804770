import {
  type AnyRunningService,
  type Environment,
  type Log,
  messageOf,
  type System,
  startService,
} from '@millrace/kit'
import { CommandFailure, isOperating } from '../failure.ts'
import type { Addresses } from './addresses.ts'
import type { Stoppable } from './stop.ts'

export interface PartsOptions {
  readonly systems: readonly System[]
  readonly addresses: Addresses
  /** The process's variables; KAFKA_BROKERS names the embedded broker where there is one. */
  readonly env: Environment
  /** Where the services' databases lie. */
  readonly directory: string
  readonly log: Log
}

/** What runs of the systems in this process. */
export interface RunningParts {
  readonly services: readonly AnyRunningService[]
  readonly servers: readonly Stoppable[]
}

/**
 * Starts the development servers, because services look for them, and then all services
 * together. Where one cannot start, those that did are stopped again.
 */
export async function startParts(options: PartsOptions): Promise<RunningParts> {
  const servers = await together(options.systems.flatMap((system) => serversOf(system, options)))
  try {
    const services = await together(
      options.systems.flatMap((system) => servicesOf(system, options)),
    )
    return { services, servers }
  } catch (error) {
    await Promise.allSettled(servers.map(async (server) => server.stop()))
    throw error
  }
}

function serversOf(
  system: System,
  { addresses }: PartsOptions,
): readonly (() => Promise<Stoppable>)[] {
  return system.development.map(({ name, start }) => async () => {
    const server = await start(addresses.ports.get(name) ?? {})
    return { name, stop: async () => server[Symbol.asyncDispose]() }
  })
}

function servicesOf(
  system: System,
  { addresses, env, directory, log }: PartsOptions,
): readonly (() => Promise<AnyRunningService>)[] {
  const { addressOf } = addresses
  // What the user has set wins; a variable that is set to nothing is not set.
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '')
  const variables = { ...system.variables(addressOf), ...Object.fromEntries(given) }
  return system.services.map(
    ({ service }) =>
      async () =>
        startService(service, {
          directory,
          env: variables,
          port: addresses.ports.get(service.name)?.['http'] ?? 0,
          log,
        }),
  )
}

/** Starts all; where some fail, stops the others and says every reason. */
async function together<Part extends { readonly name: string; stop(): Promise<void> }>(
  starts: readonly (() => Promise<Part>)[],
): Promise<readonly Part[]> {
  const outcomes = await Promise.allSettled(starts.map(async (start) => start()))
  const parts = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const reasons = outcomes.flatMap((one): unknown[] =>
    one.status === 'rejected' ? [one.reason] : [],
  )
  if (reasons.length === 0) return parts
  await Promise.allSettled(parts.map(async (part) => part.stop()))
  const mistake = reasons.find((reason) => !isOperating(reason))
  if (mistake !== undefined) throw mistake
  throw new CommandFailure(reasons.map(messageOf).join('\n'))
}

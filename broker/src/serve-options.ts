// What the broker's process is told, by its arguments and by the environment in which Kafka's own
// images are configured. Pure: text in, options or everything that is wrong with it out.
//
//   --port 9092            both loopback addresses, advertised as localhost; may be repeated
//   --data <directory>     without it, everything is in memory and gone with the process
//   --flush ack|os         whether what is acknowledged is on disk, which is the default
//   KAFKA_LISTENERS, KAFKA_ADVERTISED_LISTENERS, KAFKA_LISTENER_SECURITY_PROTOCOL_MAP
//   KAFKA_NUM_PARTITIONS, KAFKA_AUTO_CREATE_TOPICS_ENABLE, KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS,
//   KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS, and KAFKA_ before each broker-wide setting of topics:
//   KAFKA_LOG_RETENTION_MS

import { parseArgs } from 'node:util'
import type { BrokerSettings } from './broker-settings.ts'
import { defaultPort, type ListenersOutcome, readListeners } from './listener-names.ts'
import type { FlushPolicy } from './log/log-config.ts'
import type { BrokerOptions } from './start-broker.ts'
import { configProblem } from './topics/config.ts'
import { topicConfigDefinitions } from './topics/config-definitions.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type ServeOptionsOutcome =
  | { readonly kind: 'read'; readonly options: BrokerOptions }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }

export function readServeOptions(args: readonly string[], env: Environment): ServeOptionsOutcome {
  const problems: string[] = []
  const given = readArguments(args, problems)
  const settings = readSettings(env, problems)
  const topicDefaults = readTopicDefaults(env, problems)
  const listeners = listenersOf(given.ports, env)
  if (listeners.kind === 'wrong') problems.push(...listeners.problems)
  if (listeners.kind === 'wrong' || problems.length > 0) return { kind: 'wrong', problems }
  const storage = given.data === undefined ? 'memory' : { directory: given.data }
  return {
    kind: 'read',
    options: {
      ...settings,
      ...(given.flush === undefined ? {} : { flush: given.flush }),
      topicDefaults,
      listeners: listeners.listeners,
      storage,
    },
  }
}

interface Arguments {
  readonly ports: readonly number[]
  readonly data: string | undefined
  readonly flush: FlushPolicy | undefined
}

function readArguments(args: readonly string[], problems: string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', multiple: true },
        data: { type: 'string' },
        flush: { type: 'string' },
      },
    })
    const ports = (values.port ?? []).map(Number)
    for (const [index, port] of ports.entries()) {
      if (Number.isInteger(port) && port >= 0 && port <= 65_535) continue
      problems.push(`--port must be a number from 0 to 65535, not "${values.port?.[index]}"`)
    }
    const { data, flush } = values
    if (flush === undefined || flush === 'ack' || flush === 'os') return { ports, data, flush }
    problems.push(`--flush must be ack or os, not "${flush}"`)
    return { ports, data, flush: undefined }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error))
    return { ports: [], data: undefined, flush: undefined }
  }
}

/** Ports that are given by hand come before what the environment says. */
function listenersOf(ports: readonly number[], env: Environment): ListenersOutcome {
  if (ports.length > 0) return { kind: 'read', listeners: ports.map((port) => ({ port })) }
  const listeners = env['KAFKA_LISTENERS']
  if (listeners === undefined) return { kind: 'read', listeners: [{ port: defaultPort }] }
  return readListeners({
    listeners,
    advertised: env['KAFKA_ADVERTISED_LISTENERS'] ?? '',
    protocols: env['KAFKA_LISTENER_SECURITY_PROTOCOL_MAP'] ?? '',
  })
}

function readSettings(env: Environment, problems: string[]): Partial<BrokerSettings> {
  const number = (name: string, min: number): number | undefined => {
    const value = env[name]
    if (value === undefined) return undefined
    if (/^\d+$/.test(value) && Number(value) >= min) return Number(value)
    problems.push(`${name} must be an integer from ${min} on, not "${value}"`)
    return undefined
  }
  const autoCreate = env['KAFKA_AUTO_CREATE_TOPICS_ENABLE']
  if (autoCreate !== undefined && autoCreate !== 'true' && autoCreate !== 'false') {
    problems.push(`KAFKA_AUTO_CREATE_TOPICS_ENABLE must be true or false, not "${autoCreate}"`)
  }
  return withoutUnset({
    numPartitions: number('KAFKA_NUM_PARTITIONS', 1),
    autoCreateTopics: autoCreate === undefined ? undefined : autoCreate === 'true',
    groupInitialRebalanceDelayMs: number('KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS', 0),
    groupMinSessionTimeoutMs: number('KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS', 1),
  })
}

function readTopicDefaults(env: Environment, problems: string[]): Record<string, string> {
  const defaults: Record<string, string> = {}
  for (const { name, synonym } of topicConfigDefinitions) {
    const variable = `KAFKA_${synonym.toUpperCase().replaceAll('.', '_')}`
    const value = env[variable]
    if (value === undefined) continue
    const problem = configProblem(name, value)
    if (problem === undefined) defaults[name] = value
    else problems.push(`${variable}: ${problem}`)
  }
  return defaults
}

type WithoutUndefined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function withoutUnset<T extends object>(values: T): WithoutUndefined<T>
function withoutUnset(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

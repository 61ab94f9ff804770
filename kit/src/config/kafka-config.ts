import { readFileSync } from 'node:fs'
import type { Environment } from '../environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import type { LogLevel } from '../log.ts'
import type { KafkaSettings, SaslSettings } from '../transport/kafka-settings.ts'

/** What the `KAFKA_*` variables say. */
export interface KafkaConfig extends KafkaSettings {
  /** False: no connection at all. Subscriptions are off, and the outbox keeps what is said. */
  readonly enabled: boolean
  readonly logLevel: LogLevel
}

/** Reads a text file, or throws. */
export type ReadFile = (path: string) => string

/**
 * Reads `KAFKA_BROKERS`, `KAFKA_SSL`, `KAFKA_SSL_CA`, `KAFKA_SASL_USERNAME`, `KAFKA_SASL_PASSWORD`,
 * `KAFKA_SASL_MECHANISM`, `KAFKA_CLIENT_ID`, `KAFKA_LOG_LEVEL` and `KAFKA_ENABLED`. An empty
 * variable counts as unset. Throws `config-invalid` with everything that is wrong, a line each.
 */
export function readKafkaConfig(
  env: Environment,
  clientId = 'millrace',
  readFile: ReadFile = (path) => readFileSync(path, 'utf8'),
): KafkaConfig {
  const problems: string[] = []
  const variables = new Variables(env, problems)
  const brokers = readBrokers(variables)
  const ca = readCa(variables, readFile)
  const config = {
    enabled: variables.flag('KAFKA_ENABLED', true),
    brokers,
    clientId: variables.text('KAFKA_CLIENT_ID') ?? clientId,
    tls: variables.flag('KAFKA_SSL', false),
    ...(ca === undefined ? {} : { ca }),
    sasl: readSasl(variables),
    logLevel: logLevels[variables.choice('KAFKA_LOG_LEVEL', Object.keys(logLevels)) ?? 'info'],
  }
  problems.push(...withoutBrokers(variables))
  if (problems.length > 0) {
    throw new MillraceError('config-invalid', problems.join('\n'), { issues: problems })
  }
  return { ...config, logLevel: config.logLevel ?? 'info' }
}

const defaultBroker = 'localhost:9092'
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const logLevels: Readonly<Record<string, LogLevel>> = {
  nothing: 'silent', // as kafkajs calls it
  silent: 'silent',
  error: 'error',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'trace',
}

function readBrokers(variables: Variables): readonly string[] {
  const list = variables.text('KAFKA_BROKERS') ?? defaultBroker
  return list.split(',').map((entry) => {
    const broker = entry.trim()
    const [, host, port = '9092'] =
      /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d+))?$/.exec(broker) ?? []
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
      variables.problem(
        `KAFKA_BROKERS has "${broker}", which is no broker; write host:port, separated by commas`,
      )
    }
    return `${host}:${port}`
  })
}

function readCa(variables: Variables, readFile: ReadFile): string | undefined {
  const path = variables.text('KAFKA_SSL_CA')
  if (path === undefined) return undefined
  if (!variables.isOn('KAFKA_SSL')) {
    variables.problem('KAFKA_SSL_CA is set without KAFKA_SSL; set KAFKA_SSL to true, or unset it')
  }
  try {
    const text = readFile(path)
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text
    variables.problem(`KAFKA_SSL_CA names "${path}", which holds no certificate; give a PEM file`)
  } catch (error) {
    const reason = messageOf(error)
    variables.problem(`KAFKA_SSL_CA names "${path}", which cannot be read (${reason})`)
  }
  return undefined
}

function readSasl(variables: Variables): SaslSettings | null {
  const username = variables.text('KAFKA_SASL_USERNAME')
  const password = variables.text('KAFKA_SASL_PASSWORD')
  const given = variables.choice('KAFKA_SASL_MECHANISM', mechanisms)
  const mechanism = mechanisms.find((name) => name === given)
  if (username !== undefined && password !== undefined) {
    return { mechanism: mechanism ?? 'plain', username, password }
  }
  if (username !== undefined) {
    variables.problem('KAFKA_SASL_USERNAME is set and KAFKA_SASL_PASSWORD is not; set both')
  } else if (password !== undefined) {
    variables.problem('KAFKA_SASL_PASSWORD is set and KAFKA_SASL_USERNAME is not; set both')
  } else if (mechanism !== undefined) {
    variables.problem(
      'KAFKA_SASL_MECHANISM is set without KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD; set them ' +
        'too, or unset it',
    )
  }
  return null
}

/** Security for nowhere: whoever set it believes that it is in force. */
function withoutBrokers(variables: Variables): string[] {
  if (variables.text('KAFKA_BROKERS') !== undefined) return []
  const set = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_MECHANISM'].filter(
    (name) => variables.text(name) !== undefined,
  )
  if (variables.text('KAFKA_SSL_CA') !== undefined) set.unshift('KAFKA_SSL_CA')
  if (variables.isOn('KAFKA_SSL')) set.unshift('KAFKA_SSL')
  if (set.length === 0) return []
  return [
    `${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} set without KAFKA_BROKERS; name the ` +
      `brokers too, or unset ${set.length === 1 ? 'it' : 'them'} to use ${defaultBroker} as it is`,
  ]
}

/** Reads variables by kind, and collects what is wrong with them. */
class Variables {
  readonly #env: Environment
  readonly #problems: string[]

  constructor(env: Environment, problems: string[]) {
    this.#env = env
    this.#problems = problems
  }

  problem(text: string): void {
    this.#problems.push(text)
  }

  text(name: string): string | undefined {
    const value = this.#env[name]?.trim()
    return value === '' ? undefined : value
  }

  isOn(name: string): boolean {
    return this.text(name)?.toLowerCase() === 'true'
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.choice(name, ['true', 'false'])
    return value === undefined ? byDefault : value === 'true'
  }

  choice(name: string, choices: readonly string[]): string | undefined {
    const value = this.text(name)?.toLowerCase()
    if (value === undefined || choices.includes(value)) return value
    this.problem(`${name} is "${this.text(name)}"; it can be ${choices.join(', ')}`)
    return undefined
  }
}

import { currentCorrelation } from '../correlation.ts'
import type { Environment } from '../environment.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { currentTraceId } from './trace-context.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'
type Fields = Readonly<Record<string, unknown>>

/**
 * A service's log, whatever it is written with.
 *
 * G1. A line of a request or a handler carries its correlation id, and its trace id where it has
 *     one, whoever wrote it.
 * G2. An error is told by its kind, its code, its message and its stack; not by what else hangs
 *     on it, which for a database's errors is the row.
 * G3. No line has a secret that came by the environment.
 */
export class ServiceLog implements Log {
  readonly #base: Log
  readonly #secrets: readonly string[]
  readonly #bindings: Fields

  constructor(base: Log, secrets: readonly string[] = [], bindings: Fields = {}) {
    this.#base = base
    this.#secrets = secrets
    this.#bindings = bindings
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message)
  }

  /** Cheap: the fields are kept, and no logger is made. */
  child(fields: object): Log {
    return new ServiceLog(this.#base, this.#secrets, { ...this.#bindings, ...fields })
  }

  #write(level: Level, fields: object, message: string): void {
    const correlationId = currentCorrelation()?.correlationId || undefined
    const traceId = currentTraceId()
    const told = {
      ...(correlationId === undefined ? {} : { correlationId }), // G1
      ...(traceId === undefined ? {} : { traceId }),
      ...this.#bindings,
      ...fields,
    }
    this.#base[level](this.#safeFields(told, depthMax), this.#safeText(message))
  }

  #safeFields(fields: object, depth: number): Fields {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, this.#safe(value, depth - 1)]),
    )
  }

  #safe(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#safeText(value)
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof Error) return this.#safeFields(factsOf(value), depth) // G2
    if (depth <= 0) return '…'
    if (Array.isArray(value)) return value.map((item) => this.#safe(item, depth - 1))
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === Object.prototype || prototype === null
      ? this.#safeFields(value, depth)
      : value
  }

  /** G3 */
  #safeText(text: string): string {
    let safe = text
    for (const secret of this.#secrets) safe = safe.replaceAll(secret, '[secret]')
    return safe
  }
}

/** Fields within fields: deeper than that nobody reads a log. */
const depthMax = 5

function factsOf(error: Error) {
  const message = messageOf(error)
  return {
    name: error.name,
    message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    // A stack begins with the message, as it was.
    stack: (error.stack ?? '').replace(error.message, message),
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
  }
}

/**
 * The values of the environment that no log line may have: passwords, tokens, keys, by their
 * variables' names, and the passwords inside of URLs.
 */
export function secretsOf(env: Environment): readonly string[] {
  const secrets = Object.entries(env).flatMap(([name, value = '']) => {
    if (/(PASSWORD|SECRET|TOKEN|PRIVATE_KEY|API_KEY)$/i.test(name)) return [value.trim()]
    return passwordsIn(value)
  })
  // What is shorter would be found everywhere, and is no secret worth its name.
  return [...new Set(secrets)].filter((secret) => secret.length >= secretLengthMin)
}

const secretLengthMin = 4

/** As it stands in the URL, and as it is meant. */
function passwordsIn(value: string): readonly string[] {
  const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*?:([^/?#]*)@/i.exec(value) ?? []
  if (password === undefined) return []
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}

// The variables of the todo system's services. `npm start` fills in what the user did not set.
import { type Environment, MillraceError } from '@millrace/kit'
import { tokenSecretBytesMin } from './limits.ts'

export interface AuthSettings {
  /** With it the other services ask about users; users never have it. */
  readonly serviceToken: string
  /** Signs the users' tokens. Null: one is generated and kept in auth's own database. */
  readonly tokenSecret: Uint8Array | null
}

export function authSettings(env: Environment): AuthSettings {
  const read = new Reading('auth-service', env)
  const serviceToken = read.token('SERVICE_TOKEN')
  const text = env['TOKEN_SECRET'] || null
  if (text === null && env['NODE_ENV'] === 'production') {
    read.problem(
      'TOKEN_SECRET is not set; in production it must be, on every host alike (openssl rand -base64 32)',
    )
  }
  const tokenSecret = text === null ? null : new TextEncoder().encode(text)
  if (tokenSecret && tokenSecret.length < tokenSecretBytesMin) {
    read.problem(
      `TOKEN_SECRET has ${tokenSecret.length} bytes and needs ${tokenSecretBytesMin} ` +
        '(openssl rand -base64 32)',
    )
  }
  return read.result({ serviceToken, tokenSecret })
}

export interface NeighbourSettings {
  /** Where the auth service is. */
  readonly authUrl: string
  readonly serviceToken: string
}

export function taskSettings(env: Environment): NeighbourSettings {
  const read = new Reading('task-service', env)
  return read.result({
    authUrl: read.url('AUTH_SERVICE_URL', ['http:', 'https:']),
    serviceToken: read.token('SERVICE_TOKEN'),
  })
}

export interface NotificationSettings extends NeighbourSettings {
  /** `smtp://localhost:1025`, or `smtps://user:password@host`. */
  readonly smtpUrl: string
  /** The address that the mails come from. */
  readonly mailFrom: string
}

export function notificationSettings(env: Environment): NotificationSettings {
  const read = new Reading('notification-service', env)
  return read.result({
    authUrl: read.url('AUTH_SERVICE_URL', ['http:', 'https:']),
    serviceToken: read.token('SERVICE_TOKEN'),
    smtpUrl: read.url('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: env['MAIL_FROM'] || 'todo@localhost',
  })
}

/** Reads variables and gathers all that is wrong with them, so that one start tells all. */
class Reading {
  readonly #service: string
  readonly #env: Environment
  readonly #problems: string[] = []

  constructor(service: string, env: Environment) {
    this.#service = service
    this.#env = env
  }

  problem(text: string): void {
    this.#problems.push(text)
  }

  required(name: string, remedy: string): string {
    const value = this.#env[name] || ''
    if (value === '') this.problem(`${name} is not set (${remedy})`)
    return value
  }

  /** What `Authorization: Bearer` can carry (RFC 6750 §2.1). */
  token(name: string): string {
    const value = this.required(name, 'the same for all services: openssl rand -base64 32')
    if (value !== '' && !/^[A-Za-z0-9._~+/=-]+$/.test(value)) {
      this.problem(`${name} may have letters, digits and ._~+/=- only`)
    }
    return value
  }

  url(name: string, protocols: readonly string[]): string {
    const beginnings = `${protocols.join('// or ')}//`
    const value = this.required(name, `an address that begins with ${beginnings}`)
    if (value !== '' && !protocols.includes(URL.parse(value)?.protocol ?? '')) {
      this.problem(`${name} is no address that begins with ${beginnings}`)
    }
    return value
  }

  /** The settings, or `config-invalid` with every problem. Never says a value: it may be secret. */
  result<Settings>(settings: Settings): Settings {
    if (this.#problems.length === 0) return settings
    const issues = this.#problems
    throw new MillraceError('config-invalid', `${this.#service}: ${issues.join('; ')}`, { issues })
  }
}

// How the other services ask auth: who a user is, and whose token this is.
import { currentCorrelation } from '@millrace/kit'
import { z } from 'zod'
import { authAnswerMs } from '../../limits.ts'

const personSchema = z.object({ userId: z.int(), username: z.string(), email: z.string() })

/** A user, as auth knows one. */
export type Person = z.infer<typeof personSchema>

export type PersonOutcome =
  | { readonly kind: 'found'; readonly person: Person }
  | { readonly kind: 'unknown' }
  /** Auth is down, too slow, or does not let us in: no answer about anybody. */
  | { readonly kind: 'unavailable'; readonly reason: string }

export type SessionOutcome =
  | { readonly kind: 'valid'; readonly userId: number }
  /** Auth says no; `message` is its own, for the user. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

export interface AuthClientOptions {
  /** Where auth is, for example `http://localhost:8084`. */
  readonly authUrl: string
  /** Shared by the services; see the README. */
  readonly serviceToken: string
}

export class AuthClient {
  readonly #options: AuthClientOptions

  constructor(options: AuthClientOptions) {
    this.#options = options
  }

  async findPerson(userId: number, signal?: AbortSignal): Promise<PersonOutcome> {
    const answer = await this.#get(`/auth/users/${userId}`, this.#options.serviceToken, signal)
    if (answer.kind === 'unavailable') return answer
    if (answer.status === 404) return { kind: 'unknown' }
    const person = personSchema.safeParse(answer.body)
    if (answer.status === 200 && person.success) return { kind: 'found', person: person.data }
    return this.#unexpected(answer)
  }

  /** Whose token it is. Auth reads it: its secret is known to nobody else. */
  async readSession(token: string, signal?: AbortSignal): Promise<SessionOutcome> {
    const answer = await this.#get('/auth/me', token, signal)
    if (answer.kind === 'unavailable') return answer
    if (answer.status === 401) {
      const problem = z.object({ detail: z.string() }).safeParse(answer.body)
      return { kind: 'refused', message: problem.data?.detail ?? 'the token is not valid' }
    }
    const person = personSchema.safeParse(answer.body)
    if (answer.status === 200 && person.success) {
      return { kind: 'valid', userId: person.data.userId }
    }
    return this.#unexpected(answer)
  }

  async #get(path: string, token: string, signal?: AbortSignal): Promise<Answer> {
    const limit = AbortSignal.timeout(authAnswerMs)
    try {
      const response = await fetch(new URL(path, this.#options.authUrl), {
        headers: { authorization: `Bearer ${token}`, ...correlationHeaders() },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      })
      const body: unknown = await response.json()
      return { kind: 'answered', status: response.status, body }
    } catch (error) {
      signal?.throwIfAborted()
      const reason = `auth at ${this.#options.authUrl} does not answer: ${causeOf(error)}`
      return { kind: 'unavailable', reason }
    }
  }

  #unexpected({ status }: { status: number }): { kind: 'unavailable'; reason: string } {
    const what =
      status === 401 || status === 403
        ? 'refuses our SERVICE_TOKEN; give every service of the system the same'
        : `answered ${status}`
    return { kind: 'unavailable', reason: `auth at ${this.#options.authUrl} ${what}` }
  }
}

type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** What ties the question to the request or the event that it is asked for. */
function correlationHeaders(): Record<string, string> {
  const { correlationId, traceparent } = currentCorrelation() ?? {}
  return {
    ...(correlationId ? { 'x-correlation-id': correlationId } : {}),
    ...(traceparent ? { traceparent } : {}),
  }
}

/** `fetch` says "fetch failed" and hides the reason in its cause. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return error.cause.message || error.cause.name
  return error.message
}

// How one service asks another, or a server outside: with a time limit, and with what ties the
// question to the request or the event that it is asked for.
import { currentCorrelation } from '@millrace/kit'

export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** It cannot be reached, so that it has done nothing; or it is in trouble itself (5xx). */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** It took the question and did not answer in time: nobody knows what it did. */
  | { readonly kind: 'silent'; readonly reason: string }

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: object
}

export interface NeighbourOptions {
  /** As messages call it. */
  readonly name: string
  readonly url: string
  readonly answerMs: number
  readonly token?: string
}

export class Neighbour {
  readonly #options: NeighbourOptions

  constructor(options: NeighbourOptions) {
    this.#options = options
  }

  async ask({ method, path, body }: Question, signal?: AbortSignal): Promise<Answer> {
    const { name, url, answerMs, token } = this.#options
    const limit = AbortSignal.timeout(answerMs)
    try {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...correlationHeaders(),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      })
      const text = await response.text()
      const { status } = response
      if (status >= 500) return { kind: 'unavailable', reason: `${name} answers ${status}` }
      const answered: unknown = text === '' ? null : JSON.parse(text)
      return { kind: 'answered', status, body: answered }
    } catch (error) {
      signal?.throwIfAborted()
      if (limit.aborted) {
        return { kind: 'silent', reason: `${name} does not answer within ${answerMs} ms` }
      }
      return { kind: 'unavailable', reason: `${name} cannot be reached: ${causeOf(error)}` }
    }
  }
}

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

import { STATUS_CODES } from 'node:http'

export interface ProblemOptions {
  /** An HTTP status of 400 or more. */
  readonly status: number
  /** A URI that names this kind of problem, for programs: `urn:todo:email-taken`. */
  readonly type: string
  /** What, which, and what now, for people. */
  readonly detail: string
  /** For bad input: each thing that is wrong, a line each. */
  readonly errors?: readonly string[]
  /** Sent with the answer, for example `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The body of an answer that refuses, as RFC 9457 writes it (`application/problem+json`). */
export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly string[]
}

/** Thrown by a route: the answer is this problem. It is the client's business, and not logged. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly details: ProblemDetails

  constructor({ status, type, detail, errors, headers = {} }: ProblemOptions) {
    super(detail)
    this.status = status
    this.headers = headers
    const title = STATUS_CODES[status] ?? 'Error'
    this.details = { type, title, status, detail, ...(errors ? { errors } : {}) }
  }
}

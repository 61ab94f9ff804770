import { STATUS_CODES } from 'node:http'
import { MillraceError } from '../errors.ts'

export interface ProblemOptions {
  readonly status: number
  /** For programs: a URI, or a word that stays the same. Default: `about:blank`. */
  readonly type?: string
  /** Default: the status in words. */
  readonly title?: string
  /** For people: what, which, and what now. */
  readonly detail: string
  /** Members beside the standard ones, for example `issues`. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** The body of a refusal (RFC 9457). */
export interface ProblemDetails extends Readonly<Record<string, unknown>> {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
}

/** A refusal that a route throws: it is answered as problem details. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly details: ProblemDetails

  constructor({ status, type, title, detail, members = {}, headers = {} }: ProblemOptions) {
    super(detail)
    this.status = status
    this.headers = headers
    this.details = {
      type: type ?? 'about:blank',
      title: title ?? STATUS_CODES[status] ?? 'Error',
      status,
      detail,
      ...members,
    }
  }
}

/** What a client is told of an error. Null where it is our fault and its message is ours alone. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  if (error instanceof MillraceError) return storeProblem(error)
  if (!(error instanceof Error)) return null
  const code = 'code' in error ? String(error.code) : ''
  const status = 'statusCode' in error ? Number(error.statusCode) : 500
  if (status < 400 || status >= 500) return null
  const [type, detail] = parserProblems.get(code) ?? ['about:blank', error.message]
  return new Problem({ status, type, detail })
}

/**
 * A client can only try again later. It hears the kind of trouble; the error's own words name
 * files of this machine and are for the log.
 */
function storeProblem({ retriable, code }: MillraceError): Problem | null {
  if (!retriable) return null
  const trouble = storeTroubles.get(code) ?? 'the service cannot store it now'
  return new Problem({
    status: 503,
    type: code,
    detail: `${trouble}. Nothing was changed; try again`,
    headers: { 'retry-after': '1' },
  })
}

const storeTroubles: ReadonlyMap<string, string> = new Map([
  ['store-full', "the service's disk is full"],
  ['store-busy', 'too many requests are waiting to be stored'],
  ['outbox-full', 'the service holds as many unsent events as it may'],
])

/** Fastify's refusals of a body, in words that help. */
const parserProblems: ReadonlyMap<string, readonly [type: string, detail: string]> = new Map([
  [
    'FST_ERR_CTP_INVALID_JSON_BODY',
    ['malformed-json', 'the body is no JSON: check its quotes, commas and braces'],
  ],
  [
    'FST_ERR_CTP_EMPTY_JSON_BODY',
    ['empty-body', 'the body is empty: send a JSON object, or no Content-Type'],
  ],
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    ['no-json', 'send the body as JSON, with the header "Content-Type: application/json"'],
  ],
  ['FST_ERR_CTP_BODY_TOO_LARGE', ['body-too-large', 'the body is larger than 1 MiB']],
])

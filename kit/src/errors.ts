/**
 * Everything that the kit throws at its users. `code` is for programs, the message for people:
 * what, which, and what now. `retriable` says whether the same call may succeed later.
 */
export type MillraceErrorCode =
  /** A catalogue, a service or an option contradicts itself: a programmer's error. */
  | 'definition-invalid'
  /** Environment variables are unknown or contradict each other; the message lists them all. */
  | 'config-invalid'
  /** An event does not fit its own schema; `issues` says where. */
  | 'event-invalid'
  /** The outbox holds as many unsent events as it may. */
  | 'outbox-full'
  /** `effect` was called while the handler's transaction was open. */
  | 'effect-in-transaction'
  /** A query, `publish` or commit came after its transaction had ended. */
  | 'transaction-closed'
  /** A transaction stayed open past its limit and was rolled back. */
  | 'transaction-too-long'
  /** A transaction was started inside another of the same service, which would wait for itself. */
  | 'transaction-nested'
  /** Too many transactions wait for the writer. */
  | 'store-busy'
  /** Another transaction was in the way (a deadlock); nothing was written. Do it again. */
  | 'store-conflict'
  /** Another instance holds the service's database. */
  | 'store-locked'
  /** The database file is damaged, or is no database. */
  | 'store-damaged'
  /** The database was written by a newer version of the program. */
  | 'store-newer'
  /** The disk is full. */
  | 'store-full'
  /** The database failed in another way; `cause` has its error. */
  | 'store-failed'
  /** The service is stopping, or has stopped. */
  | 'service-stopped'
  /** The port of the service's HTTP server is taken. */
  | 'port-in-use'
  /** Kafka answers not, or not as Kafka does. */
  | 'kafka-unavailable'
  /** Kafka answers, and does not make or describe a topic; the others may be well. */
  | 'topic-refused'
  /** Kafka refuses the user name or the password. */
  | 'kafka-authentication'
  /** A stored event is of a schema version that its aggregate cannot read. */
  | 'aggregate-unreadable'
  /** An aggregate has more events than are read at once; it needs snapshots. */
  | 'aggregate-too-long'
  /** A process has a state of a version that its manager cannot read. */
  | 'process-unreadable'
  /** A state, an event or a timer's data is not plain JSON, or is too large; `issues` says where. */
  | 'state-invalid'
  /** A time to publish at makes no sense, or is too far away. */
  | 'schedule-invalid'
  /** As many events are scheduled as may be. */
  | 'schedule-full'
  /** A handler forbids to be given its past again, or the request makes no sense. */
  | 'replay-refused'
  /** No dead letter has that id. */
  | 'dead-letter-unknown'
  /** As many events are put aside as may be. */
  | 'dead-letters-full'

export interface MillraceErrorOptions {
  readonly cause?: unknown
  readonly retriable?: boolean
  /** For `event-invalid` and `config-invalid`: each thing that is wrong, a line each. */
  readonly issues?: readonly string[]
}

export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: MillraceErrorCode
  readonly retriable: boolean
  readonly issues: readonly string[]

  constructor(code: MillraceErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.retriable = options.retriable ?? false
    this.issues = options.issues ?? []
  }
}

/**
 * A handler throws it to say that a dependency is down, so that every event would fail: the
 * breaker pauses the subscription at once, and nothing is counted against the event (P7). Any
 * error with `outage: true` says the same.
 */
export class Outage extends Error {
  override readonly name = 'Outage'
  readonly outage = true
}

/**
 * A handler throws it to say that another attempt would only repeat the failure: the event is
 * given up at once. Any error with `retriable: false` says the same.
 */
export class Fatal extends Error {
  override readonly name = 'Fatal'
  readonly retriable = false
}

export function isOutage(error: unknown): boolean {
  return error instanceof Error && 'outage' in error && error.outage === true
}

/**
 * The message of anything that was thrown, for a log line or a stored reason. Of errors that are
 * known to quote what they stumbled over, which may be a payload, it leaves the quotation out.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof SyntaxError) {
    return error.message
      .replace(/^Unexpected token .*$/s, 'it is not valid JSON')
      .replace(/".*"( is not valid JSON)/s, 'it$1')
  }
  return isDataException(error) ? error.message.replace(/: ".*"$/s, '') : error.message
}

/** PostgreSQL's class 22: a value that a column's type does not take, quoted at the end. */
function isDataException(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^22[0-9A-Z]{3}$/.test(error.code)
}

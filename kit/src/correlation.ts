import { AsyncLocalStorage } from 'node:async_hooks'

/** What ties together all that one request or one event caused, across services. */
export interface Correlation {
  readonly correlationId: string
  /** The id of the event being handled, or null outside of handlers. */
  readonly causationId: string | null
  /** W3C trace context as it came in, or null. */
  readonly traceparent: string | null
  readonly tracestate?: string | null
}

const storage = new AsyncLocalStorage<Correlation>()

/** The correlation of the HTTP request or the event that the calling code works on. */
export function currentCorrelation(): Correlation | undefined {
  return storage.getStore()
}

/** Runs `work` and all that it awaits under a correlation. */
export function withCorrelation<Result>(correlation: Correlation, work: () => Result): Result {
  return storage.run(correlation, work)
}

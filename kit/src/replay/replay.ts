// What a replay is asked for, and what became of it.

/** Where a replay begins or ends, in each partition. */
export type ReplayPoint =
  /** The first record that retention has left. */
  | 'start'
  /** Behind the last record that is there when the replay begins. */
  | 'end'
  /** At the first record of this RFC 3339 time or later. */
  | { readonly time: string }
  | { readonly offset: number }

export interface ReplayRequest {
  /**
   * The replay's name. One that was interrupted goes on under its name where it was, and no event
   * is handled twice under one name. Default: a new one.
   */
  readonly name?: string
  /** Which events of the service's handlers. Default: all of them. */
  readonly events?: readonly string[]
  /** Default: `start`. */
  readonly from?: ReplayPoint
  /** Default: `end`. */
  readonly to?: ReplayPoint
  /**
   * `handler`: what the handler changes in the database is committed. `shadow`: it is rolled back,
   * so that one sees whether the handler manages. Default: handler.
   */
  readonly into?: 'handler' | 'shadow'
}

/** How far a replay is. */
export interface ReplayProgress {
  readonly name: string
  /** Records in the range, and those that were read. */
  readonly recordsTotal: number
  readonly recordsRead: number
  /** Events that a handler handled, and those that it had handled under this name before. */
  readonly handled: number
  readonly repeated: number
  /** What handlers wanted to do and say, and a replay does not. */
  readonly effectsSuppressed: number
  readonly eventsSuppressed: number
}

export type ReplayOutcome =
  | { readonly kind: 'done'; readonly progress: ReplayProgress }
  /** A handler failed for the last time; under the same name the replay goes on there. */
  | {
      readonly kind: 'stopped'
      readonly at: string
      readonly reason: string
      readonly progress: ReplayProgress
    }
  /** The service stopped, or whoever asked did. */
  | { readonly kind: 'interrupted'; readonly progress: ReplayProgress }

/** Who watches a replay. */
export interface ReplayWatch {
  readonly signal?: AbortSignal
  /** Called after each chunk of records. */
  readonly told?: (progress: ReplayProgress) => void
}

export type RunOutcome<Result> =
  | { readonly kind: 'returned'; readonly result: Result }
  | { readonly kind: 'threw'; readonly thrown: unknown }

/** Why a handler's time is over. All of them are alike for the breaker. */
export class HandlerTimeout extends Error {
  override readonly name = 'HandlerTimeout'
  readonly code = 'handler-timeout'
}

/**
 * One run of a handler, held by whoever may end it: its time limit, a stop, partitions that leave.
 *
 * R1. `run` never rejects, whatever the handler throws and however: at once, later, or something
 *     that is no error.
 * R2. From `abort` on the run has failed, whatever the handler still does: what it began is undone
 *     (`whenOver`), and its signal has fired.
 */
export class HandlerRun {
  readonly #abort = new AbortController()
  #end: ((outcome: RunOutcome<never>) => void) | null = null
  #whenOver: () => void = () => {}
  #whenBack: () => void = () => {}
  #isOut = false

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** True as long as the handler's own code has not come back, also when its time is over. */
  get isOut(): boolean {
    return this.#isOut
  }

  /** What undoes it: called once, when it is given up. */
  whenOver(undo: () => void): void {
    this.#whenOver = undo
  }

  /** Called when the handler's own code comes back. */
  whenBack(told: () => void): void {
    this.#whenBack = told
  }

  run<Result>(work: () => Promise<Result>): Promise<RunOutcome<Result>> {
    const { promise, resolve } = Promise.withResolvers<RunOutcome<Result>>()
    if (this.signal.aborted) {
      resolve({ kind: 'threw', thrown: this.signal.reason })
      return promise
    }
    this.#end = resolve
    this.#isOut = true
    const back = (outcome: RunOutcome<Result>): void => {
      this.#isOut = false
      resolve(outcome)
      this.#whenBack()
    }
    // `async` turns what is thrown at once into a rejection, too.
    const started = (async () => work())()
    started.then(
      (result) => back({ kind: 'returned', result }),
      (thrown: unknown) => back({ kind: 'threw', thrown }),
    )
    return promise
  }

  abort(reason: Error): void {
    if (this.signal.aborted) return
    this.#end?.({ kind: 'threw', thrown: reason })
    this.#abort.abort(reason)
    this.#whenOver()
  }
}

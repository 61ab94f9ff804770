import type { Clock } from '../clock.ts'

export type RunOutcome<Result> =
  | { readonly kind: 'returned'; readonly result: Result }
  | { readonly kind: 'threw'; readonly thrown: unknown }

export interface RunOptions {
  readonly timeoutMs: number
  readonly clock: Clock
  /** Fires when the service will wait no longer. */
  readonly stopping: AbortSignal
}

/** A handler that never came back. All of them are alike for the breaker. */
class HandlerTimeout extends Error {
  override readonly name = 'HandlerTimeout'
  readonly code = 'handler-timeout'
}

/**
 * Runs a handler to its end or its time limit. Never rejects, whatever it throws and however: at
 * once, later, or something that is no error. A handler that does not stop at its signal goes on
 * unheard; its transaction is over, so its late queries throw.
 */
export async function runHandler<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { timeoutMs, clock, stopping }: RunOptions,
): Promise<RunOutcome<Result>> {
  const abort = new AbortController()
  const { promise: ended, resolve: end } = Promise.withResolvers<RunOutcome<Result>>()
  const giveUp = (reason: Error): void => {
    end({ kind: 'threw', thrown: reason })
    abort.abort(reason)
  }
  const timer = clock.after(timeoutMs, () =>
    giveUp(new HandlerTimeout(`the handler took longer than ${timeoutMs} ms`)),
  )
  const stop = (): void => giveUp(new HandlerTimeout('the service stopped before it was done'))
  if (stopping.aborted) stop()
  else stopping.addEventListener('abort', stop, { once: true })
  // `async` turns what is thrown at once into a rejection, too.
  const run = async (): Promise<Result> => work(abort.signal)
  run().then(
    (result) => end({ kind: 'returned', result }),
    (thrown: unknown) => end({ kind: 'threw', thrown }),
  )
  const outcome = await ended
  timer.cancel()
  stopping.removeEventListener('abort', stop)
  return outcome
}

import { systemClock } from '@millrace/kit'
import { withSpinner } from '../output/spinner.ts'
import type { Terminal } from '../output/terminal.ts'

/** Waits, with a spinner where it takes longer; Ctrl-C ends the wait. */
export async function waitFor<Result>(
  terminal: Terminal,
  text: string,
  work: (advance: (howFar: string) => void) => Promise<Result>,
): Promise<Result> {
  const interruption = Promise.withResolvers<never>()
  const interrupt = () => interruption.reject(new Error('interrupted'))
  if (terminal.interrupted.aborted) interrupt()
  terminal.interrupted.addEventListener('abort', interrupt)
  try {
    return await withSpinner({ terminal, clock: systemClock, text }, (advance) =>
      Promise.race([work(advance), interruption.promise]),
    )
  } finally {
    terminal.interrupted.removeEventListener('abort', interrupt)
  }
}

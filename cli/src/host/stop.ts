import { type Clock, messageOf } from '@millrace/kit'
import { quietStopMs, stopMsMax } from '../limits.ts'

/** Something that was started, by the name under which the user knows it. */
export interface Stoppable {
  readonly name: string
  stop(): Promise<void>
}

export interface StopOptions {
  readonly clock: Clock
  readonly say: (line: string) => void
}

/** What became of a stop. */
export type StopOutcome =
  | { readonly kind: 'stopped' }
  /** These ended with an error, which was said. */
  | { readonly kind: 'failed'; readonly names: readonly string[] }
  /** These had not ended when the time was over. */
  | { readonly kind: 'late'; readonly names: readonly string[] }

/**
 * Stops the stages one after the other, the parts of a stage together. Past `quietStopMs` it says
 * what it waits for; past `stopMsMax` it waits no more. A part that fails keeps no other from
 * being stopped.
 */
export async function stopInOrder(
  stages: readonly (readonly Stoppable[])[],
  { clock, say }: StopOptions,
): Promise<StopOutcome> {
  const failed: string[] = []
  const waiting = new Set<string>()
  const late = Promise.withResolvers<StopOutcome>()
  const notice = clock.after(quietStopMs, () => {
    say(`waiting for ${[...waiting].join(', ')} to finish what runs; Ctrl-C again ends at once`)
  })
  const end = clock.after(stopMsMax, () => late.resolve({ kind: 'late', names: [...waiting] }))
  const stopAll = async (): Promise<StopOutcome> => {
    for (const stage of stages) {
      for (const { name } of stage) waiting.add(name)
      await Promise.all(
        stage.map(async (part) => {
          await part.stop().catch((error: unknown) => {
            failed.push(part.name)
            say(`${part.name} did not stop in order: ${messageOf(error)}`)
          })
          waiting.delete(part.name)
        }),
      )
    }
    return failed.length === 0 ? { kind: 'stopped' } : { kind: 'failed', names: failed }
  }
  try {
    return await Promise.race([stopAll(), late.promise])
  } finally {
    notice.cancel()
    end.cancel()
  }
}

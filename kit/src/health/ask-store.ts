import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { storeAskedMsMax } from '../observe/limits.ts'

export type StoreAnswer<Told> =
  | { readonly kind: 'told'; readonly told: Told }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * What the database tells, or why it does not, within `storeAskedMsMax` in any case: whoever asks
 * for the health of a service must not wait for a database that does not answer. Never rejects.
 */
export async function askStore<Told>(
  clock: Clock,
  ask: () => Promise<Told>,
): Promise<StoreAnswer<Told>> {
  const { promise: timeUp, resolve } = Promise.withResolvers<StoreAnswer<Told>>()
  const reason = `it did not answer within ${storeAskedMsMax} ms`
  const timer = clock.after(storeAskedMsMax, () => resolve({ kind: 'unknown', reason }))
  const asked = ask().then(
    (told): StoreAnswer<Told> => ({ kind: 'told', told }),
    (error: unknown): StoreAnswer<Told> => ({ kind: 'unknown', reason: messageOf(error) }),
  )
  const answer = await Promise.race([asked, timeUp])
  timer.cancel()
  return answer
}

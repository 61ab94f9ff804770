// What dead letters of one cause have in common, and the guard against redriving in circles.

import { generalise } from '../retry/failure.ts'

/** Equal for reasons that differ only by what is the event's own: numbers, quoted words, ids. */
export function reasonSignature(reason: string): string {
  return generalise(reason)
}

/** What a letter knows of the times that it was redriven. */
export interface Redriven {
  readonly reason: string
  readonly alike: number
  readonly redriven_signature: string | null
}

/** How often in a row it was redriven, only to fail as it had failed before. */
export function failedAlike({ reason, alike, redriven_signature: before }: Redriven): number {
  return before === reasonSignature(reason) ? alike : 0
}

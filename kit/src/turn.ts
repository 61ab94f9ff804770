import type { Clock, Timer } from './clock.ts'

/**
 * What is left for the next turn of the event loop, so that what is under way now comes first.
 * Nothing else in the kit asks the event loop for a turn; a clock that has turns of its own, as a
 * simulator's has, decides itself when that is.
 */
export function nextTurn(clock: Clock, work: () => void): Timer {
  if (clock.turn !== undefined) return clock.turn(work)
  const immediate = setImmediate(work)
  return { cancel: () => clearImmediate(immediate) }
}

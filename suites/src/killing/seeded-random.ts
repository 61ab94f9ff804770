/**
 * Numbers in [0, 1) that follow from a seed, so that a run can be repeated as far as the machine
 * allows: a linear congruential generator, which is random enough to choose where to kill.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** A whole number from `min` up to, but not including, `max`. */
export function drawBetween(random: () => number, min: number, max: number): number {
  return min + Math.floor(random() * (max - min))
}

/** The same values in an order drawn by chance. */
export function shuffled<Value>(random: () => number, values: readonly Value[]): Value[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ value }) => value)
}

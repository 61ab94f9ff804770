/** Numbers in [0, 1) that follow from the seed (mulberry32): for tests that can be run again. */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e37_79b9)
  return () => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

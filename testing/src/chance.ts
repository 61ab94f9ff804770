import type { Random } from '@millrace/kit'

/** Numbers in [0, 1) that are the same for the same seed: a 32-bit generator, mulberry32. */
export function chanceOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * A seed of its own for each part of a schedule, so that a fault that is taken out of one part
 * changes nothing in another.
 */
export function seedFor(seed: number, part: string): number {
  let hash = 0x811c9dc5 ^ seed
  for (let at = 0; at < part.length; at += 1) {
    hash = Math.imul(hash ^ part.charCodeAt(at), 0x01000193)
  }
  return hash >>> 0
}

/** A whole number from 0 to `below`, without it. */
export function drawBelow(random: Random, below: number): number {
  return Math.floor(random() * below)
}

/** One of them; there is at least one. */
export function drawOne<Item>(
  random: Random,
  [first, ...others]: readonly [Item, ...Item[]],
): Item {
  return others[drawBelow(random, others.length + 1) - 1] ?? first
}

import type { Random } from './clock.ts'

/**
 * A UUID of version 7 (RFC 9562): 48 bits of time, then chance. Ids made later sort later, so
 * that the tables keyed by them grow at their end.
 */
export function newEventId(nowMs: number, random: Random): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0')
  const variant = 0x8000 + bits(random, 14)
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${hex(bits(random, 12), 3)}`,
    hex(variant, 4),
    hex(bits(random, 24), 6) + hex(bits(random, 24), 6),
  ].join('-')
}

function bits(random: Random, count: number): number {
  return Math.floor(random() * 2 ** count)
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

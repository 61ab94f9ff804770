import type { Clock } from '../clock.ts'

export interface SamplerOptions {
  /** The part of all chains that is traced, from 0 to 1. */
  readonly rate: number
  readonly stepsPerSecondMax: number
  readonly clock: Pick<Clock, 'nowMs'>
}

/**
 * Which chains are traced. A chain is taken where the hash of its correlation id lies below a
 * threshold, so that every service takes the same ones and a chain is whole or not there at all.
 *
 * S1. Where there are too many steps in a second, the threshold falls, and rises again by no more
 *     than twice a second: the chains of the lowest hashes are the last to go, in every service.
 * S2. No second has more than `stepsPerSecondMax` steps, whatever the threshold was.
 */
export class ChainSampler {
  readonly #options: SamplerOptions
  readonly #thresholdMax: number
  #threshold: number
  #second = 0
  #wanted = 0
  #dropped = 0

  constructor(options: SamplerOptions) {
    this.#options = options
    this.#thresholdMax = options.rate * 2 ** 32
    this.#threshold = this.#thresholdMax
  }

  /** Whether to tell of a step of this chain. */
  takes(chain: string): boolean {
    const { clock, stepsPerSecondMax } = this.#options
    const second = Math.floor(clock.nowMs() / 1_000)
    if (second !== this.#second) this.#beginSecond(second)
    if (hashOf(chain) >= this.#threshold) return false
    this.#wanted += 1
    if (this.#wanted <= stepsPerSecondMax) return true // S2
    this.#dropped += 1
    return false
  }

  /** Steps of chains that were taken, and had no place in their second; counted from zero again. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  /** S1 */
  #beginSecond(second: number): void {
    const fits = (aimedAt * this.#options.stepsPerSecondMax) / Math.max(this.#wanted, 1)
    this.#threshold = Math.min(this.#threshold * Math.min(fits, 2), this.#thresholdMax)
    this.#second = second
    this.#wanted = 0
  }
}

/** Of the limit, so that a second with a little more than the last still has room for all. */
const aimedAt = 0.9

/** FNV-1a, and then mixed, so that ids that differ in their last letters alone lie far apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

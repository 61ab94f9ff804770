/**
 * How far one partition is done without a gap (P6), while its records are done in any order.
 *
 * W1. `position` is the lowest offset that is not done: all below it is, or was never there
 *     (compaction, control batches).
 * W2. `position` never goes back.
 * W3. What was done before, in an earlier life, is taken once more and is done at once.
 */
export class Watermark {
  /** Offsets taken and not yet passed, ascending, from `#head` on. */
  #taken: bigint[] = []
  #head = 0
  readonly #done = new Set<bigint>()
  readonly #before: Set<bigint>
  #position: bigint

  /** `before`: offsets above the position that are done already (W3). */
  constructor(position: bigint, before: readonly bigint[] = []) {
    this.#position = position
    this.#before = new Set(before)
  }

  /** The next offset to read, were we to start anew: what is to be committed. */
  get position(): bigint {
    return this.#position
  }

  /** Offsets taken that are not done yet, or done above one that is not. */
  get size(): number {
    return this.#taken.length - this.#head
  }

  /** Offsets from the position to the last one taken. */
  get span(): number {
    const last = this.#taken.at(-1) ?? this.#position
    return last < this.#position ? 0 : Number(last - this.#position)
  }

  /** Done above one that is not, in this life or before. */
  *completed(): Generator<bigint> {
    yield* this.#done
    yield* this.#before
  }

  /**
   * True where there is something to do. Offsets come in ascending order; one that was passed or
   * done already is not taken again.
   */
  take(offset: bigint): boolean {
    const last = this.#taken.at(-1) ?? this.#position - 1n
    if (offset <= last) return false
    this.#taken.push(offset)
    if (!this.#before.delete(offset)) return true
    this.done(offset) // W3
    return false
  }

  done(offset: bigint): void {
    this.#done.add(offset)
    for (;;) {
      const lowest = this.#taken[this.#head]
      if (lowest === undefined || !this.#done.delete(lowest)) break
      this.#head += 1
      this.#position = lowest + 1n
    }
    if (this.#head < 1_024 || this.#head * 2 < this.#taken.length) return
    this.#taken = this.#taken.slice(this.#head)
    this.#head = 0
  }
}

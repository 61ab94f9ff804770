/** What waits for its turn; the lowest order goes first. */
export interface Ordered {
  readonly order: number
}

/** A binary heap: the item of the lowest order is on top, at a logarithmic price. */
export class ReadyHeap<Item extends Ordered> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): Item | null {
    return this.#items[0] ?? null
  }

  push(item: Item): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1)
  }

  pop(): Item | null {
    const top = this.#items[0]
    const last = this.#items.pop()
    if (top === undefined || last === undefined) return null
    if (last !== top) {
      this.#items[0] = last
      this.#sink(0)
    }
    return top
  }

  /** Takes out one item, wherever it is. Linear: for what leaves out of turn. */
  remove(item: Item): void {
    const at = this.#items.indexOf(item)
    const last = at < 0 ? undefined : this.#items.pop()
    if (last === undefined || last === item) return
    this.#items[at] = last
    this.#rise(at)
    this.#sink(at)
  }

  #rise(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(from: number): void {
    let at = from
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      let first = at
      if (left < this.#items.length && this.#isBefore(left, first)) first = left
      if (right < this.#items.length && this.#isBefore(right, first)) first = right
      if (first === at) return
      this.#swap(at, first)
      at = first
    }
  }

  #isBefore(a: number, b: number): boolean {
    return this.#orderAt(a) < this.#orderAt(b)
  }

  #orderAt(at: number): number {
    return this.#items[at]?.order ?? Number.POSITIVE_INFINITY
  }

  #swap(a: number, b: number): void {
    const first = this.#items[a]
    const second = this.#items[b]
    if (first === undefined || second === undefined) return
    this.#items[a] = second
    this.#items[b] = first
  }
}

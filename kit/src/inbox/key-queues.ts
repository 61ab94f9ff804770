import { ReadyHeap } from './ready-heap.ts'

/**
 * Who may run next: a queue for each key, and of each queue only the head (P4).
 *
 * Q1. A key is ready, or out: while one item of it is out, others of it come out only with that
 *     one, by `more`.
 * Q2. Items of one key come out in the order in which they were added, whatever their lanes.
 * Q3. Of all that are ready in the lanes asked for, the one added first comes out first, so that
 *     what holds back the watermark is worked on first.
 */
export class KeyQueues<Item extends Queued> {
  readonly #keys = new Map<string, KeyQueue<Item>>()
  readonly #lanes = new Map<string, ReadyHeap<Ticket<Item>>>()
  #added = 0

  /** Items that wait, by lane, those that are ready included; items that are out do not count. */
  readonly #waiting = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(item: Item): void {
    let queue = this.#keys.get(item.key)
    if (queue === undefined) {
      queue = { tickets: [], isOut: false }
      this.#keys.set(item.key, queue)
    }
    this.#added += 1
    queue.tickets.push({ item, order: this.#added })
    this.#count(item, 1)
    if (!queue.isOut && queue.tickets.length === 1) this.#ready(queue)
  }

  /** Takes out the next item of the lanes for which `isOpen` holds, or null. */
  next(isOpen: (lane: string) => boolean): Item | null {
    let first: ReadyHeap<Ticket<Item>> | null = null
    for (const [lane, heap] of this.#lanes) {
      const top = heap.peek()
      if (top === null || !isOpen(lane)) continue
      if (first === null || top.order < (first.peek()?.order ?? 0)) first = heap
    }
    const ticket = first?.pop() ?? null
    if (ticket === null) return null
    const queue = this.#queueOf(ticket.item.key)
    queue.isOut = true
    queue.tickets.shift()
    this.#count(ticket.item, -1)
    return ticket.item
  }

  /** Takes out the next item of a key of which one is out, if there is one and it is wanted. */
  more(key: string, isWanted: (item: Item) => boolean): Item | null {
    const queue = this.#queueOf(key)
    const [ticket] = queue.tickets
    if (ticket === undefined || !isWanted(ticket.item)) return null
    queue.tickets.shift()
    this.#count(ticket.item, -1)
    return ticket.item
  }

  /** Items that wait in a lane, ready or behind others of their keys. */
  waiting(lane: string): number {
    return this.#waiting.get(lane) ?? 0
  }

  /** Keys of which an item of the lane is ready. */
  ready(lane: string): number {
    return this.#lanes.get(lane)?.size ?? 0
  }

  /** What is out of the key is done: the next of it becomes ready. */
  finish(key: string): void {
    const queue = this.#queueOf(key)
    queue.isOut = false
    if (queue.tickets.length > 0) this.#ready(queue)
    else this.#keys.delete(key)
  }

  /**
   * What is out of a key goes back to its head, and is ready at once, after all that is ready now:
   * whoever probes with one item after another does not get the same one again.
   */
  putBack(key: string, items: readonly Item[]): void {
    const queue = this.#queueOf(key)
    this.#added += 1
    const order = this.#added
    queue.tickets.unshift(...items.map((item) => ({ item, order })))
    queue.isOut = false
    for (const item of items) this.#count(item, 1)
    this.#ready(queue)
  }

  /** Takes out all waiting items that `isGone` picks, and gives them back. */
  remove(isGone: (item: Item) => boolean): readonly Item[] {
    const removed: Item[] = []
    for (const [key, queue] of this.#keys) {
      const waiting = queue.tickets
      const kept = waiting.filter(({ item }) => !isGone(item))
      if (kept.length === waiting.length) continue
      removed.push(...waiting.filter(({ item }) => isGone(item)).map(({ item }) => item))
      const head = waiting[0]
      if (!queue.isOut && head !== undefined) this.#laneOf(head.item.lane).remove(head)
      queue.tickets = kept
      if (queue.isOut) continue
      if (kept.length > 0) this.#ready(queue)
      else this.#keys.delete(key)
    }
    for (const item of removed) this.#count(item, -1)
    return removed
  }

  #count({ lane }: Item, by: 1 | -1): void {
    this.#size += by
    this.#waiting.set(lane, this.waiting(lane) + by)
  }

  #ready(queue: KeyQueue<Item>): void {
    const [ticket] = queue.tickets
    if (ticket !== undefined) this.#laneOf(ticket.item.lane).push(ticket)
  }

  #laneOf(lane: string): ReadyHeap<Ticket<Item>> {
    const known = this.#lanes.get(lane)
    if (known !== undefined) return known
    const heap = new ReadyHeap<Ticket<Item>>()
    this.#lanes.set(lane, heap)
    return heap
  }

  #queueOf(key: string): KeyQueue<Item> {
    const queue = this.#keys.get(key)
    if (queue === undefined) throw new Error(`no item of key "${key}" is out`)
    return queue
  }
}

export interface Queued {
  /** Items of one key run one at a time, in order. */
  readonly key: string
  /** Which subscription it is for: a lane can be closed while the others go on. */
  readonly lane: string
}

interface Ticket<Item> {
  readonly item: Item
  readonly order: number
}

interface KeyQueue<Item> {
  /** Those that wait, in their order. V8 takes the first out of an array without moving it. */
  tickets: Ticket<Item>[]
  isOut: boolean
}

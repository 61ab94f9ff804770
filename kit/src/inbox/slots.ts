/**
 * How the lanes of a service share its handlers at work: half of the slots are dealt evenly, so
 * that each lane always has some; the other half goes to whoever comes first. A lane that is slow
 * takes no other lane's own slots, and a lane that is alone takes them all.
 */
export class Slots {
  readonly #own: number
  readonly #shared: number
  readonly #taken = new Map<string, number>()
  #sharedTaken = 0

  constructor(slots: number, lanes: number) {
    this.#own = lanes === 1 ? slots : Math.floor(slots / 2 / lanes)
    this.#shared = slots - this.#own * lanes
  }

  isFree(lane: string): boolean {
    return (this.#taken.get(lane) ?? 0) < this.#own || this.#sharedTaken < this.#shared
  }

  take(lane: string): void {
    const taken = this.#taken.get(lane) ?? 0
    this.#taken.set(lane, taken + 1)
    if (taken >= this.#own) this.#sharedTaken += 1
  }

  give(lane: string): void {
    const taken = this.#taken.get(lane) ?? 0
    this.#taken.set(lane, taken - 1)
    if (taken > this.#own) this.#sharedTaken -= 1
  }
}

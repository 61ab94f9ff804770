import type { Clock, Timer } from '@millrace/kit'
import type { Life } from './life.ts'

/** Something that waits for the schedule to let it happen. */
export interface Operation {
  /** Whose it is; null for the world's own. */
  readonly life: Life | null
  /** For the trace, in the third person: `commits "orders on order.placed"`. */
  readonly what: string
  readonly perform: () => void
  /** Other ways in which it may go. */
  readonly troubles?: readonly Trouble[]
  /** True where trouble is what a scenario is there for: it comes more often. */
  readonly isRisky?: boolean
  /** False while it cannot happen yet. Default: it can. */
  readonly isReady?: () => boolean
}

/** One way in which an operation goes wrong. */
export interface Trouble {
  /** For the trace: `and the answer is lost`. */
  readonly what: string
  readonly perform: () => void
}

interface Pending {
  readonly life: Life | null
  readonly atMs: number
  readonly what: string
  readonly fire: () => void
}

/**
 * All that could happen next: operations that are ready now, and timers, in the order of their
 * times. Nothing happens by itself.
 *
 * A1. What belongs to a dead life is dropped, and what belongs to a paused one waits.
 * A2. Operations are in the order in which they were added, timers of one time likewise.
 */
export class Agenda {
  #nowMs: number
  #operations: Operation[] = []
  #timers: Pending[] = []

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  add(operation: Operation): void {
    if (operation.life?.isDead !== true) this.#operations.push(operation)
  }

  /** What could happen now. */
  ready(): readonly Operation[] {
    return this.#operations.filter(
      ({ life, isReady }) =>
        (life === null || life.isAlive) && (isReady === undefined || isReady()),
    )
  }

  /** Takes an operation off; whoever takes it performs it. */
  take(operation: Operation): void {
    const at = this.#operations.indexOf(operation)
    if (at >= 0) this.#operations.splice(at, 1)
  }

  /** Moves time to the next timer and takes it off; null where nobody waits for the time. */
  takeTimer(): Omit<Operation, 'troubles'> | null {
    const at = this.#timers.findIndex(({ life }) => life === null || life.isAlive)
    const [timer] = at < 0 ? [] : this.#timers.splice(at, 1)
    if (timer === undefined) return null
    this.#nowMs = Math.max(this.#nowMs, timer.atMs)
    return { life: timer.life, what: timer.what, perform: timer.fire }
  }

  hasTimer(): boolean {
    return this.#timers.some(({ life }) => life === null || life.isAlive)
  }

  after(life: Life | null, delayMs: number, { what, fire }: Pick<Pending, 'what' | 'fire'>): Timer {
    if (life?.isDead === true) return { cancel() {} }
    const timer: Pending = { life, atMs: this.#nowMs + Math.max(0, delayMs), what, fire }
    let at = this.#timers.length
    while (at > 0 && (this.#timers[at - 1]?.atMs ?? 0) > timer.atMs) at -= 1
    this.#timers.splice(at, 0, timer)
    return {
      cancel: () => {
        const found = this.#timers.indexOf(timer)
        if (found >= 0) this.#timers.splice(found, 1)
      },
    }
  }

  /** Drops all that a life had in hand (A1). */
  drop(life: Life): void {
    this.#operations = this.#operations.filter((operation) => operation.life !== life)
    this.#timers = this.#timers.filter((timer) => timer.life !== life)
  }

  /** The time as one life sees it. */
  clockOf(life: Life | null): Clock {
    return {
      nowMs: () => this.#nowMs,
      after: (delayMs, fire) => this.after(life, delayMs, { what: 'hears its timer', fire }),
      turn: (work) => {
        const operation: Operation = { life, what: 'takes its turn', perform: work }
        this.add(operation)
        return { cancel: () => this.take(operation) }
      },
    }
  }

  /**
   * A question and its answer, as two steps: `act` happens, and later the asker hears of it.
   * Whoever dies in between never hears.
   */
  call<Result>(life: Life | null, call: Call<Result>): Promise<Result> {
    const { what, act, troubles = [], isReady } = call
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const answer = (settle: () => void): void => {
      this.add({ life, what: `hears the answer: ${what}`, perform: settle })
    }
    const ask = (): void => {
      try {
        const result = act()
        answer(() => resolve(result))
      } catch (error) {
        answer(() => reject(error))
      }
    }
    this.add({
      life,
      what,
      perform: ask,
      ...(isReady === undefined ? {} : { isReady }),
      troubles: troubles.map((trouble) => ({
        what: trouble.what,
        perform: () => {
          try {
            if (trouble.isDone) act()
            const outcome = trouble.outcome()
            answer(() => resolve(outcome))
          } catch (error) {
            answer(() => reject(error))
          }
        },
      })),
    })
    return promise
  }
}

export interface Call<Result> {
  readonly what: string
  readonly act: () => Result
  /** False while it cannot be asked. */
  readonly isReady?: () => boolean
  readonly troubles?: readonly CallTrouble<Result>[]
}

export interface CallTrouble<Result> {
  readonly what: string
  /** True where it happens all the same, and only the answer is another. */
  readonly isDone: boolean
  /** What the asker hears; it may throw. */
  readonly outcome: () => Result
}

import { MillraceError } from '@millrace/kit'
import type { Turn, TurnOptions } from '@millrace/kit/inside'
import type { Agenda } from './agenda.ts'
import type { Life } from './life.ts'
import type { MemoryDatabase } from './memory-database.ts'

export interface DatabaseWriterOptions {
  readonly agenda: Agenda
  readonly database: MemoryDatabase
  /** Called after each commit, in the step that made it. */
  readonly committed: (life: Life) => void
}

interface Held {
  readonly life: Life
}

/**
 * Who may write to one database, one transaction at a time, among all instances of its service.
 * The schedule chooses who is next.
 *
 * W1. A commit is two steps: it happens, and its writer hears of it. A crash may come between.
 * W2. What a life had not committed when it died is undone.
 */
export class DatabaseWriter {
  readonly #options: DatabaseWriterOptions
  #held: Held | null = null
  #failures = 0
  /** Every commit fails, until there is room again. */
  isFull = false

  constructor(options: DatabaseWriterOptions) {
    this.#options = options
  }

  /** Commits that failed so far. */
  get failures(): number {
    return this.#failures
  }

  isHeldBy(life: Life): boolean {
    return this.#held?.life === life
  }

  /** Waits for the database, as one life. */
  take(life: Life, options: TurnOptions): Promise<Turn> {
    const { agenda, database } = this.#options
    const { promise, resolve } = Promise.withResolvers<Turn>()
    agenda.add({
      life,
      what: `begins the transaction "${options.name}"`,
      isReady: () => this.#held === null,
      perform: () => {
        database.begin()
        resolve(this.#hold(life, options))
      },
    })
    return promise
  }

  /** W2. */
  crash(life: Life): void {
    if (this.#held?.life === life) this.#undo()
  }

  #hold(life: Life, options: TurnOptions): Turn {
    const { agenda } = this.#options
    const held: Held = { life }
    this.#held = held
    let isKept = false
    const isHeld = (): boolean => this.#held === held && !isKept
    const timer = agenda.after(life, options.heldMsMax, {
      what: `has held the transaction "${options.name}" too long`,
      fire: () => {
        drop()
        options.lost(tooLong(options))
      },
    })
    const drop = (): void => {
      if (!isHeld()) return
      timer.cancel()
      this.#undo()
    }
    return {
      get isHeld() {
        return isHeld()
      },
      keep: () => {
        if (!isHeld()) return Promise.reject(ended(options))
        isKept = true
        timer.cancel()
        return this.#keep(life, options)
      },
      drop,
    }
  }

  /** W1. */
  #keep(life: Life, { name }: TurnOptions): Promise<void> {
    const { agenda, database, committed } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const fail = (): void => {
      this.#failures += 1
      this.#undo()
      reject(diskFull(name))
    }
    agenda.add({
      life,
      what: `commits the transaction "${name}"`,
      perform: () => {
        if (this.isFull) {
          fail()
          return
        }
        database.commit()
        this.#held = null
        committed(life)
        agenda.add({ life, what: `hears of its commit of "${name}"`, perform: resolve })
      },
      troubles: [{ what: 'but the disk is full', perform: fail }],
    })
    return promise
  }

  #undo(): void {
    this.#options.database.rollback()
    this.#held = null
  }
}

function diskFull(name: string): MillraceError {
  return new MillraceError('store-full', `the simulated disk is full; "${name}" was not written`, {
    retriable: true,
  })
}

function tooLong({ name, heldMsMax }: TurnOptions): MillraceError {
  return new MillraceError(
    'transaction-too-long',
    `the transaction "${name}" stayed open longer than ${heldMsMax} ms and was rolled back; ` +
      'wait for the network before its first use of db or publish, not after it',
  )
}

function ended({ name }: TurnOptions): MillraceError {
  return new MillraceError('transaction-closed', `the transaction "${name}" has ended`)
}

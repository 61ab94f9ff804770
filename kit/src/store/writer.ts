import type { Clock, Timer } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { commitGroupMax, writerQueueMax } from '../limits.ts'
import { nextTurn } from '../turn.ts'
import { rolledBack, tooLong } from './store-error.ts'
import type { Turn, TurnOptions } from './turn.ts'

/** What the writer needs of its connection. */
export interface WriterConnection {
  /** False once the database itself has rolled back, as it does when the disk is full. */
  readonly isTransaction: boolean
  execute(sql: string): void
}

/** A turn on the only writing connection. */
export interface WriterTurn extends Turn {
  drop(): void
}

interface Waiting {
  readonly options: TurnOptions
  readonly resolve: (turn: WriterTurn) => void
  readonly reject: (error: unknown) => void
}

interface Kept {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Who may write, one at a time and in the order in which they asked. Turns that follow each
 * other closely share one transaction, each in a savepoint, and so one COMMIT and one fsync:
 * fifteen times what one transaction each would give.
 *
 * W1. At most one turn is held; only its holder uses the connection.
 * W2. `keep` resolves after the COMMIT that contains the turn, and rejects if there was none.
 * W3. Nothing is committed while a turn is held: half of it would be committed too.
 * W4. A dropped turn undoes what it wrote, and nothing of another turn.
 * W5. A turn's time counts from holding it, not from waiting for it.
 */
export class Writer {
  readonly #connection: WriterConnection
  readonly #clock: Clock
  readonly #queue: Waiting[] = []
  #held: { readonly options: TurnOptions; readonly timer: Timer } | null = null
  #group: Kept[] = []
  #commitAt: Timer | null = null
  #closed: (() => void) | null = null
  #isClosing = false

  constructor(connection: WriterConnection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** Waits for a turn. Rejects when too many wait already, or the store is closing. */
  take(options: TurnOptions): Promise<WriterTurn> {
    if (this.#isClosing) return Promise.reject(closing(options.name))
    if (this.#queue.length >= writerQueueMax) {
      return Promise.reject(
        new MillraceError(
          'store-busy',
          `"${options.name}" is not begun: ${writerQueueMax} transactions wait for the writer`,
          { retriable: true },
        ),
      )
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ options, resolve, reject })
      if (this.#held === null) this.#next()
    })
  }

  /** Lets what waits finish, commits it, and takes nothing new. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#held === null && this.#queue.length === 0) {
      this.#finish()
      return
    }
    await new Promise<void>((resolve) => {
      this.#closed = resolve
    })
  }

  /** Gives the connection to the first who waits, or commits once nobody has come. */
  #next(): boolean {
    if (this.#group.length >= commitGroupMax) this.#commit()
    for (;;) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) break
      try {
        this.#begin()
      } catch (error) {
        waiting.reject(error)
        continue
      }
      waiting.resolve(this.#hold(waiting.options))
      return true
    }
    // A turn of the event loop later, so that those who are about to ask share the COMMIT.
    this.#commitAt ??= nextTurn(this.#clock, () => {
      this.#commitAt = null
      if (this.#held === null) this.#commit() // W3
    })
    return false
  }

  #begin(): void {
    if (!this.#connection.isTransaction) this.#connection.execute('begin immediate')
    this.#connection.execute('savepoint turn')
  }

  #hold(options: TurnOptions): WriterTurn {
    const timer = this.#clock.after(options.heldMsMax, () => {
      drop()
      options.lost(tooLong(options))
    })
    const held = { options, timer }
    this.#held = held
    const drop = () => {
      if (this.#held === held) this.#end(() => this.#undo())
    }
    const isHeld = () => this.#held === held
    return {
      get isHeld() {
        return isHeld()
      },
      keep: () => {
        if (!isHeld()) return Promise.reject(ended(options.name))
        return this.#keep()
      },
      drop,
    }
  }

  #keep(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#end(() => {
        this.#group.push({ resolve, reject })
        if (!this.#connection.isTransaction) this.#lose(rolledBack())
        else this.#connection.execute('release turn')
      })
    })
  }

  #end(conclude: () => void): void {
    this.#held?.timer.cancel()
    try {
      conclude()
    } catch (error) {
      this.#lose(error)
    }
    this.#held = null
    const isHeldAgain = this.#next()
    if (!isHeldAgain) this.#finishClosing()
  }

  /** W4. */
  #undo(): void {
    if (!this.#connection.isTransaction) this.#lose(rolledBack())
    else this.#connection.execute('rollback to turn; release turn')
  }

  #commit(): void {
    if (this.#connection.isTransaction) {
      try {
        this.#connection.execute('commit')
      } catch (error) {
        this.#lose(error)
        return
      }
    }
    const group = this.#group
    this.#group = []
    for (const { resolve } of group) resolve()
  }

  /** Nothing of the group is in the database: each of its turns is told so (W2). */
  #lose(cause: unknown): void {
    const group = this.#group
    this.#group = []
    for (const { reject } of group) reject(cause)
    if (this.#connection.isTransaction) this.#connection.execute('rollback')
  }

  #finishClosing(): void {
    if (this.#closed === null) return
    this.#finish()
    this.#closed()
    this.#closed = null
  }

  #finish(): void {
    this.#commitAt?.cancel()
    this.#commit()
  }
}

function ended(name: string): MillraceError {
  return new MillraceError('transaction-closed', `the transaction "${name}" has ended`)
}

function closing(name: string): MillraceError {
  return new MillraceError('service-stopped', `"${name}" is not begun: the service is stopping`, {
    retriable: true,
  })
}

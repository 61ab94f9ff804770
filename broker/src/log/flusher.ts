// The end of a turn: logs that took batches in it are written together, one write per log. Each
// log then syncs by itself, in groups (disk/group-commit.ts).

import type { Defer } from '../disk/group-commit.ts'
import type { FlushPolicy } from './log-config.ts'

/** What a flusher writes when the turn ends. */
export interface TurnWriter {
  /** Writes what was taken in this turn, and never throws. */
  writeTurn(): void
}

export class Flusher {
  readonly policy: FlushPolicy
  /** When a group of syncs begins; see GroupCommit. */
  readonly defer: Defer
  #taken: TurnWriter[] = []

  constructor(policy: FlushPolicy, defer: Defer = setImmediate) {
    this.policy = policy
    this.defer = defer
  }

  /** Has a log written when the turn ends. */
  add(log: TurnWriter): void {
    this.#taken.push(log)
  }

  /**
   * Writes what the logs took since the last call, one write per log, and asks for the syncs. The
   * connection layer calls it once after it has handled all frames of a read event, before the
   * buffer that it read into is used again. Never throws: a log whose write failed tells those who
   * asked `onStored`.
   */
  commitTurn(): void {
    const taken = this.#taken
    if (taken.length === 0) return
    this.#taken = []
    for (const log of taken) log.writeTurn()
  }
}

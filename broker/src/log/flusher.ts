// Group commit. Logs that took batches in this turn are written together when the turn ends, one
// write per log. Each log then has at most one sync in flight; what is appended meanwhile waits for
// the next one, so that one sync serves everybody who came while the last one ran.

import type { FlushPolicy } from './log-config.ts'

export interface Flusher {
  readonly policy: FlushPolicy

  /**
   * Writes what the logs took since the last call, one write per log, and asks for the syncs. The
   * connection layer calls it once after it has handled all frames of a read event, before the
   * buffer that it read into is used again. Never throws: a log whose write failed tells those who
   * asked `onStored`.
   */
  commitTurn(): void
}

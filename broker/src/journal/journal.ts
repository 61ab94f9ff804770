// The broker's own state on disk: an append-only file of checked frames. State is changed by
// applying records and by nothing else, the same way while running and on restart.

import type { Disk } from '../disk/disk.ts'
import type { FlushPolicy } from '../log/log-config.ts'

export interface JournalOptions {
  readonly disk: Disk
  /** The journal's file, for example `journal/groups`. Its directory must exist. */
  readonly path: string
  readonly flush: FlushPolicy
  /** Changes the state by one record: for each stored record on opening, then for each appended. */
  readonly apply: (record: Uint8Array) => void
  /** Records from which `apply` builds the present state anew; asked for when the file is long. */
  readonly snapshot: () => Iterable<Uint8Array>
  /** The file is rewritten as a snapshot when it is past this, and twice its last snapshot. */
  readonly sizeMax?: number
}

export interface Journal extends AsyncDisposable {
  /**
   * Writes the records as one frame, so that all of them survive a crash or none, and applies
   * them before it returns. The promise resolves when they are durable: reply then, not before.
   * @returns a promise that rejects with a JournalError; `full` means that nothing was written and
   * nothing applied; after `failed` the journal takes no more until the broker is started again
   */
  append(records: readonly Uint8Array[]): Promise<void>

  /** Syncs what is written, and closes the file. */
  close(): Promise<void>
}

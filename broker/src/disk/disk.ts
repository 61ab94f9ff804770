// The door to files. Everything that the broker keeps passes through this interface, so that the
// same code runs on a real disk, in memory, and in tests on a disk that loses what was not synced.
//
// A disk has one root directory. Paths are relative to it and use `/` on every system; the root
// itself is the empty path. Appends and reads are synchronous (a page-cache copy is cheaper than a
// trip through the thread pool); syncing is asynchronous, because it waits for the device.

/** The root directory of a disk. */
export const ROOT = ''

/** Files and directories under one root. */
export interface Disk {
  /** Where a path really is, for messages to people. */
  location(path: string): string

  /**
   * Opens a file for appending and reading, and creates it when it is missing. A file that was
   * created is sure to exist after a power cut only once its directory is synced.
   */
  open(path: string): DiskFile

  /** Names of the files and directories in a directory, sorted; `undefined` when it is missing. */
  list(path: string): readonly string[] | undefined

  /** Makes a directory. One that exists already is left as it is. */
  makeDirectory(path: string): void

  /** Renames a file or directory. A file that has the new name is replaced, in one step. */
  rename(from: string, to: string): void

  /** Removes a file, or an empty directory. What is missing is left missing. */
  remove(path: string): void

  /**
   * Resolves when the entries of a directory (files created, renamed or removed) are on the
   * device. On Windows directories cannot be synced, and this resolves without having done so.
   */
  syncDirectory(path: string): Promise<void>

  /**
   * Takes the exclusive lock on this root, kept in the file `path` until it is released. The lock
   * of a process that is dead is taken over.
   * @throws DiskError `locked`, naming the process that holds it
   */
  lock(path: string): DiskLock
}

/** One open file. It grows at its end, and is cut there by recovery. */
export interface DiskFile {
  readonly path: string

  /** Bytes in the file, counting those that are not synced yet. */
  readonly size: number

  /** When the file was last written, in milliseconds since the epoch. */
  readonly modifiedAtMs: number

  /**
   * Appends the chunks one after the other in one call. When it throws, any prefix of them may
   * have been written; `size` then says what is there, and the caller cuts it.
   * @throws DiskError `full` when there is no space, else `failed`
   */
  append(chunks: readonly Uint8Array[]): void

  /** Reads into `target` from a position; returns the bytes read, fewer only at the file's end. */
  read(target: Uint8Array, position: number): number

  /** Cuts the file to a size that is not larger than its present one. */
  truncate(size: number): void

  /**
   * Resolves when everything that was appended or cut before the call is on the device. After a
   * failure the state of the unsynced bytes is unknown, and calling again proves nothing.
   */
  sync(): Promise<void>

  /** Closes the file without syncing it. Used afterwards, it fails. Closing twice does nothing. */
  close(): void
}

export interface DiskLock {
  release(): void
}

/** `full`: no space left. `locked`: another process has it. `failed`: anything else. */
export type DiskErrorCode = 'full' | 'locked' | 'failed'

/** What a disk throws; `cause` is the operating system's own error. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: DiskErrorCode
  readonly retriable: boolean

  constructor(code: DiskErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.retriable = code === 'full'
  }
}

/** Joins names to a path; the root adds nothing. */
export function joinPath(directory: string, name: string): string {
  return directory === ROOT ? name : `${directory}/${name}`
}

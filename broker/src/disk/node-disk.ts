// The disk of the operating system.
//
// N1. A file's size is counted here and not asked of the system: only this process writes to it,
//     because the root is locked.
// N2. A closed file fails: the system may have given its descriptor to another file.
// N3. Writes name their position, so that no append mode is needed, which Windows cannot cut.

import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writevSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Disk, DiskError, type DiskFile, type DiskLock } from './disk.ts'
import { takeLock } from './node-lock.ts'

/**
 * Opens the directory `root` as a disk, and makes it and its parents when they are missing.
 * @throws DiskError
 */
export function openNodeDisk(root: string): Disk {
  guarded(root, () => {
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === false) {
      throw new DiskError('failed', `${root} is a file, not a directory: choose another path`)
    }
    mkdirSync(root, { recursive: true })
  })
  return new NodeDisk(root)
}

class NodeDisk implements Disk {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  location(path: string): string {
    return join(this.#root, path)
  }

  open(path: string): DiskFile {
    const location = this.location(path)
    return guarded(location, () => {
      const descriptor = openSync(location, constants.O_RDWR | constants.O_CREAT, 0o644)
      return new NodeFile({ path, location, descriptor })
    })
  }

  list(path: string): readonly string[] | undefined {
    const location = this.location(path)
    return guarded(location, () => {
      const found = statSync(location, { throwIfNoEntry: false })
      return found === undefined ? undefined : readdirSync(location).sort()
    })
  }

  makeDirectory(path: string): void {
    const location = this.location(path)
    guarded(location, () => mkdirSync(location, { recursive: true }))
  }

  rename(from: string, to: string): void {
    guarded(this.location(from), () => renameSync(this.location(from), this.location(to)))
  }

  remove(path: string): void {
    const location = this.location(path)
    guarded(location, () => {
      const found = statSync(location, { throwIfNoEntry: false })
      if (found?.isDirectory() === true) rmdirSync(location)
      else rmSync(location, { force: true })
    })
  }

  async syncDirectory(path: string): Promise<void> {
    if (process.platform === 'win32') return
    const location = this.location(path)
    try {
      await using directory = await open(location, 'r')
      await directory.sync()
    } catch (error) {
      throw diskError(location, error)
    }
  }

  lock(path: string): DiskLock {
    return guarded(this.location(path), () => takeLock(this.location(path)))
  }
}

class NodeFile implements DiskFile {
  readonly path: string
  readonly #location: string
  #descriptor: number | undefined
  #size: number // N1

  constructor(file: { path: string; location: string; descriptor: number }) {
    this.path = file.path
    this.#location = file.location
    this.#descriptor = file.descriptor
    this.#size = fstatSync(file.descriptor).size
  }

  /** N2 */
  get #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor
    throw new DiskError('failed', `${this.#location} is closed`)
  }

  get size(): number {
    return this.#size
  }

  get modifiedAtMs(): number {
    return guarded(this.#location, () => fstatSync(this.#open).mtimeMs)
  }

  append(chunks: readonly Uint8Array[]): void {
    try {
      let rest = chunks
      while (rest.length > 0) {
        const written = writevSync(this.#open, rest, this.#size) // N3
        this.#size += written
        rest = after(rest, written)
      }
    } catch (error) {
      throw diskError(this.#location, error)
    }
  }

  read(target: Uint8Array, position: number): number {
    try {
      let filled = 0
      while (filled < target.length) {
        const length = target.length - filled
        const read = readSync(this.#open, target, filled, length, position + filled)
        if (read === 0) break
        filled += read
      }
      return filled
    } catch (error) {
      throw diskError(this.#location, error)
    }
  }

  truncate(size: number): void {
    guarded(this.#location, () => ftruncateSync(this.#open, size))
    this.#size = size
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#open, (error) => {
        if (error === null) resolve()
        else reject(diskError(this.#location, error))
      })
    })
  }

  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    if (descriptor !== undefined) guarded(this.#location, () => closeSync(descriptor))
  }
}

/** The chunks that remain when the first `written` bytes of them are written. */
function after(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skipped = written
  for (const [index, chunk] of chunks.entries()) {
    if (skipped < chunk.length) return [chunk.subarray(skipped), ...chunks.slice(index + 1)]
    skipped -= chunk.length
  }
  return []
}

function guarded<Result>(location: string, act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    throw diskError(location, error)
  }
}

function diskError(location: string, cause: unknown): DiskError {
  if (cause instanceof DiskError) return cause
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DiskError('full', `no space is left on the device for ${location}`, cause)
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DiskError('failed', `${location}: ${reason}`, cause)
}

// A disk for tests that knows what was synced, and forgets the rest when the power fails.
//
// F1. A file's content is durable as it was when a sync of that file began, once it has ended.
// F2. A directory's entries (created, renamed, removed) are durable by syncing that directory, and
//     by nothing else; a new file can be lost though its content was synced.
// F3. A crash ends a disk: it, its files and its syncs in flight fail from then on, and what is
//     left is on the disk that `crash` returns.

import { type Disk, DiskError, type DiskFile, type DiskLock } from './disk.ts'
import { MemoryDisk } from './memory-disk.ts'
import {
  type DirectoryNode,
  emptyDirectory,
  type FileNode,
  nodeAt,
  placeOf,
} from './memory-tree.ts'
import { SyncedState } from './synced-state.ts'

export interface SyncCall {
  readonly kind: 'file' | 'directory'
  readonly path: string
}

export interface FaultyDiskOptions {
  readonly now: () => number
  /** How long a sync takes; by default until the next microtask. */
  readonly syncDelay?: (sync: SyncCall) => Promise<void>
}

export class FaultyDisk implements Disk {
  readonly #options: FaultyDiskOptions
  readonly #root: DirectoryNode
  readonly #disk: MemoryDisk
  readonly #synced: SyncedState
  #crashed = false // F3
  #ignored: (sync: SyncCall) => boolean = () => false
  #writeFault: { readonly code: 'full' | 'failed'; readonly bytesWritten: number } | undefined
  #syncFault = false

  constructor(options: FaultyDiskOptions, root = emptyDirectory()) {
    this.#options = options
    this.#root = root
    this.#disk = new MemoryDisk(options.now, root)
    this.#synced = new SyncedState(root)
  }

  /** The next append writes only so many bytes, and fails. */
  failNextWrite(code: 'full' | 'failed', bytesWritten = 0): void {
    this.#writeFault = { code, bytesWritten }
  }

  /** The next sync of a file fails, and what it should have synced is not durable. */
  failNextSync(): void {
    this.#syncFault = true
  }

  /** Syncs for which `test` holds claim success from now on without having done anything. */
  ignoreSyncs(test: (sync: SyncCall) => boolean): void {
    this.#ignored = test
  }

  /**
   * Cuts the power, and returns the disk as it is when the power is back. What was synced is on it.
   * Of what was not, nothing is, or, with `random` (numbers in [0, 1)), whatever a disk might have
   * written by then: a part of the appended bytes, possibly with holes, and the first so many
   * changes of a directory.
   */
  crash(random?: () => number): FaultyDisk {
    this.#crashed = true
    const left = new FaultyDisk(this.#options, this.#synced.survivors(this.#root, random))
    left.#ignored = this.#ignored
    return left
  }

  #assertPower(path: string): void {
    if (this.#crashed) throw new DiskError('failed', `${path}: the power failed`)
  }

  location(path: string): string {
    return `faulty:/${path}`
  }

  open(path: string): DiskFile {
    this.#assertPower(path)
    const existed = nodeAt(this.#root, path) !== undefined
    const file = this.#disk.open(path)
    if (!existed) this.#changed(path)
    const node = nodeAt(this.#root, path)
    if (node?.kind !== 'file') throw new DiskError('failed', `${path} was not opened`)
    return this.#faulty(file, node)
  }

  list(path: string): readonly string[] | undefined {
    this.#assertPower(path)
    return this.#disk.list(path)
  }

  makeDirectory(path: string): void {
    this.#assertPower(path)
    const existed = nodeAt(this.#root, path) !== undefined
    this.#disk.makeDirectory(path)
    if (!existed) this.#changed(path)
  }

  rename(from: string, to: string): void {
    this.#assertPower(from)
    this.#disk.rename(from, to)
    this.#changed(from)
    if (placeOf(this.#root, from).parent !== placeOf(this.#root, to).parent) this.#changed(to)
  }

  remove(path: string): void {
    this.#assertPower(path)
    this.#disk.remove(path)
    this.#changed(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#assertPower(path)
    const node = nodeAt(this.#root, path)
    if (node?.kind !== 'directory') throw new DiskError('failed', `no directory ${path} to sync`)
    const commit = this.#synced.beginDirectorySync(node)
    await this.#finishSync({ kind: 'directory', path }, commit)
  }

  lock(path: string): DiskLock {
    this.#assertPower(path)
    return this.#disk.lock(path)
  }

  #changed(path: string): void {
    this.#synced.directoryChanged(placeOf(this.#root, path).parent)
  }

  /** Wraps a file so that it fails when told to, and dies in a crash. */
  #faulty(file: DiskFile, node: FileNode): DiskFile {
    const alive = () => this.#assertPower(file.path)
    return {
      path: file.path,
      get size() {
        return file.size
      },
      get modifiedAtMs() {
        return file.modifiedAtMs
      },
      append: (chunks) => {
        alive()
        this.#append(file, chunks)
      },
      read: (target, position) => {
        alive()
        return file.read(target, position)
      },
      truncate: (size) => {
        alive()
        file.truncate(size)
      },
      sync: async () => {
        alive()
        await this.#syncFile(file.path, node)
        await file.sync() // Fails when the file was closed meanwhile.
      },
      close: () => file.close(),
    }
  }

  #append(file: DiskFile, chunks: readonly Uint8Array[]): void {
    const fault = this.#writeFault
    if (fault === undefined) {
      file.append(chunks)
      return
    }
    this.#writeFault = undefined
    file.append([new Uint8Array(Buffer.concat(chunks)).subarray(0, fault.bytesWritten)])
    throw new DiskError(fault.code, `${file.path}: ${fault.code}, as the test asked`)
  }

  async #syncFile(path: string, node: FileNode): Promise<void> {
    const commit = this.#synced.beginFileSync(node)
    if (this.#syncFault) {
      this.#syncFault = false
      throw new DiskError('failed', `${path}: the sync failed, as the test asked`)
    }
    await this.#finishSync({ kind: 'file', path }, commit)
  }

  async #finishSync(sync: SyncCall, commit: () => void): Promise<void> {
    const ignored = this.#ignored(sync)
    await this.#options.syncDelay?.(sync)
    this.#assertPower(sync.path)
    if (!ignored) commit()
  }
}

// A disk in memory, for a broker that keeps nothing: what is synced is as gone as the rest when
// the process ends.

import { type Disk, DiskError, type DiskFile, type DiskLock } from './disk.ts'
import {
  type DirectoryNode,
  emptyDirectory,
  emptyFile,
  type FileNode,
  nodeAt,
  placeOf,
} from './memory-tree.ts'

/** Opens an empty disk in memory. `now` dates the files. */
export function openMemoryDisk(now: () => number): Disk {
  return new MemoryDisk(now, emptyDirectory())
}

export class MemoryDisk implements Disk {
  readonly #now: () => number
  readonly #root: DirectoryNode
  readonly #locked = new Set<string>()

  constructor(now: () => number, root: DirectoryNode) {
    this.#now = now
    this.#root = root
  }

  location(path: string): string {
    return `memory:/${path}`
  }

  open(path: string): DiskFile {
    const { parent, name } = placeOf(this.#root, path)
    const found = parent.entries.get(name) ?? { ...emptyFile(), modifiedAtMs: this.#now() }
    if (found.kind !== 'file') throw new DiskError('failed', `${path} is a directory`)
    parent.entries.set(name, found)
    return new MemoryFile(path, found, this.#now)
  }

  list(path: string): readonly string[] | undefined {
    const found = nodeAt(this.#root, path)
    return found?.kind === 'directory' ? [...found.entries.keys()].sort() : undefined
  }

  makeDirectory(path: string): void {
    const { parent, name } = placeOf(this.#root, path)
    if (!parent.entries.has(name)) parent.entries.set(name, emptyDirectory())
  }

  rename(from: string, to: string): void {
    const source = placeOf(this.#root, from)
    const target = placeOf(this.#root, to)
    const found = source.parent.entries.get(source.name)
    if (found === undefined) throw new DiskError('failed', `${from} cannot be renamed: missing`)
    source.parent.entries.delete(source.name)
    target.parent.entries.set(target.name, found)
  }

  remove(path: string): void {
    const { parent, name } = placeOf(this.#root, path)
    const found = parent.entries.get(name)
    if (found?.kind === 'directory' && found.entries.size > 0) {
      throw new DiskError('failed', `${path} cannot be removed: the directory is not empty`)
    }
    parent.entries.delete(name)
  }

  async syncDirectory(): Promise<void> {}

  lock(path: string): DiskLock {
    if (this.#locked.has(path)) {
      throw new DiskError('locked', `${this.location(path)} is held by this very process`)
    }
    this.#locked.add(path)
    return { release: () => this.#locked.delete(path) }
  }
}

class MemoryFile implements DiskFile {
  readonly path: string
  readonly #node: FileNode
  readonly #now: () => number
  #closed = false

  constructor(path: string, node: FileNode, now: () => number) {
    this.path = path
    this.#node = node
    this.#now = now
  }

  get #bytes(): FileNode['bytes'] {
    if (this.#closed) throw new DiskError('failed', `${this.path} is closed`)
    return this.#node.bytes
  }

  get size(): number {
    return this.#node.bytes.size
  }

  get modifiedAtMs(): number {
    return this.#node.modifiedAtMs
  }

  append(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#bytes.append(chunk)
    this.#node.modifiedAtMs = this.#now()
  }

  read(target: Uint8Array, position: number): number {
    return this.#bytes.read(target, position)
  }

  truncate(size: number): void {
    this.#bytes.truncate(size)
  }

  async sync(): Promise<void> {
    if (this.#closed) throw new DiskError('failed', `${this.path} is closed`)
  }

  close(): void {
    this.#closed = true
  }
}

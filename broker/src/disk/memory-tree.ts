// Files and directories in memory: the ground of the memory disk and of the faulty disk.

import { DiskError } from './disk.ts'

export type TreeNode = FileNode | DirectoryNode

export interface FileNode {
  readonly kind: 'file'
  readonly bytes: GrowingBytes
  modifiedAtMs: number
}

export interface DirectoryNode {
  readonly kind: 'directory'
  readonly entries: Map<string, TreeNode>
}

export function emptyDirectory(): DirectoryNode {
  return { kind: 'directory', entries: new Map() }
}

export function emptyFile(): FileNode {
  return { kind: 'file', bytes: new GrowingBytes(), modifiedAtMs: 0 }
}

/** What lies at a path, if anything does. */
export function nodeAt(root: DirectoryNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root
  for (const name of path === '' ? [] : path.split('/')) {
    if (node?.kind !== 'directory') return undefined
    node = node.entries.get(name)
  }
  return node
}

/** The directory that holds a path, and the path's last name. */
export function placeOf(
  root: DirectoryNode,
  path: string,
): { readonly parent: DirectoryNode; readonly parentPath: string; readonly name: string } {
  const cut = path.lastIndexOf('/')
  const parentPath = cut < 0 ? '' : path.slice(0, cut)
  const parent = nodeAt(root, parentPath)
  if (parent?.kind !== 'directory') {
    throw new DiskError('failed', `${path}: there is no directory ${parentPath}`)
  }
  return { parent, parentPath, name: path.slice(cut + 1) }
}

/** The first chunk grows to this size; then chunks of this size are added. */
const chunkBytes = 1024 * 1024

/** Bytes that grow at their end without copying what a long file already holds. */
export class GrowingBytes {
  readonly #chunks: Uint8Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  append(source: Uint8Array): void {
    let taken = 0
    while (taken < source.length) {
      const offset = this.#size % chunkBytes
      const chunk = this.#chunkFor(offset + source.length - taken)
      const length = Math.min(chunk.length - offset, source.length - taken)
      chunk.set(source.subarray(taken, taken + length), offset)
      taken += length
      this.#size += length
    }
  }

  /** The chunk that holds the byte at `size`, with room for it at least. */
  #chunkFor(bytesWanted: number): Uint8Array {
    const index = Math.floor(this.#size / chunkBytes)
    const present = this.#chunks[index]
    if (present !== undefined && present.length > this.#size % chunkBytes) return present
    const doubled = Math.max((present?.length ?? 0) * 2, bytesWanted, 64)
    const grown = new Uint8Array(index > 0 ? chunkBytes : Math.min(doubled, chunkBytes))
    if (present !== undefined) grown.set(present)
    this.#chunks[index] = grown
    return grown
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.length, this.#size - position))
    let filled = 0
    while (filled < length) {
      const at = position + filled
      const chunk = this.#chunks[Math.floor(at / chunkBytes)]
      if (chunk === undefined) break
      const offset = at % chunkBytes
      const part = chunk.subarray(offset, offset + length - filled)
      target.set(part, filled)
      filled += part.length
    }
    return length
  }

  truncate(size: number): void {
    this.#size = Math.min(this.#size, size)
    this.#chunks.length = Math.ceil(this.#size / chunkBytes)
  }

  copy(): Uint8Array {
    const copied = new Uint8Array(this.#size)
    this.read(copied, 0)
    return copied
  }
}

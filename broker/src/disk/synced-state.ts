// What of a tree of files is durable, for the faulty disk.

import {
  type DirectoryNode,
  emptyDirectory,
  emptyFile,
  type FileNode,
  type TreeNode,
} from './memory-tree.ts'

type Entries = ReadonlyMap<string, TreeNode>

export class SyncedState {
  /** A file's content as last synced; a file that is not here was never synced. */
  readonly #contents = new WeakMap<FileNode, Uint8Array>()
  /** In the order of their beginnings: the sync that made each content durable. */
  readonly #contentTurns = new WeakMap<FileNode, number>()
  #turns = 0
  /** A directory's entries as last synced, then after each change since, oldest first. */
  readonly #histories = new WeakMap<DirectoryNode, Entries[]>()

  /** Takes everything in the tree as durable. */
  constructor(root: DirectoryNode) {
    this.#adopt(root)
  }

  #adopt(node: TreeNode): void {
    if (node.kind === 'file') {
      this.#contents.set(node, node.bytes.copy())
      return
    }
    this.#histories.set(node, [new Map(node.entries)])
    for (const entry of node.entries.values()) this.#adopt(entry)
  }

  directoryChanged(directory: DirectoryNode): void {
    this.#historyOf(directory).push(new Map(directory.entries))
  }

  /** Remembers a file's content now; the function that it returns makes that durable. */
  beginFileSync(file: FileNode): () => void {
    const content = file.bytes.copy()
    const turn = ++this.#turns
    return () => {
      // Of two syncs at once the one that began later has taken what the other had.
      if (turn < (this.#contentTurns.get(file) ?? 0)) return
      this.#contentTurns.set(file, turn)
      this.#contents.set(file, content)
    }
  }

  /** The same for a directory's entries. */
  beginDirectorySync(directory: DirectoryNode): () => void {
    const history = this.#historyOf(directory)
    const latest = history.at(-1)
    return () => {
      const known = latest === undefined ? -1 : history.indexOf(latest)
      if (known > 0) history.splice(0, known)
    }
  }

  /** A directory that was never synced has lost all its entries. */
  #historyOf(directory: DirectoryNode): Entries[] {
    const known = this.#histories.get(directory)
    if (known !== undefined) return known
    const fresh: Entries[] = [new Map()]
    this.#histories.set(directory, fresh)
    return fresh
  }

  /** A tree of what is left after a power cut. See FaultyDisk.crash. */
  survivors(directory: DirectoryNode, random: (() => number) | undefined): DirectoryNode {
    const history = this.#historyOf(directory)
    const kept = random === undefined ? 0 : Math.floor(random() * history.length)
    const left = emptyDirectory()
    for (const [name, node] of history[kept] ?? []) {
      left.entries.set(
        name,
        node.kind === 'directory' ? this.survivors(node, random) : this.#fileAfter(node, random),
      )
    }
    return left
  }

  #fileAfter(file: FileNode, random: (() => number) | undefined): FileNode {
    const durable = this.#contents.get(file) ?? new Uint8Array(0)
    const left = { ...emptyFile(), modifiedAtMs: file.modifiedAtMs }
    left.bytes.append(random === undefined ? durable : torn(durable, file.bytes.copy(), random))
    return left
  }
}

/** What a disk may hold of a file that had become `written` and was last synced as `durable`. */
function torn(durable: Uint8Array, written: Uint8Array, random: () => number): Uint8Array {
  const appended = Buffer.from(written.subarray(0, durable.length)).equals(durable)
  if (!appended) return random() < 0.5 ? durable : written
  const unsynced = written.length - durable.length
  const left = written.slice(0, durable.length + Math.floor(random() * (unsynced + 1)))
  // Pages reach the device in any order: the file may be longer than what was written of it.
  if (random() < 0.3) {
    const hole = durable.length + Math.floor(random() * (left.length - durable.length))
    left.fill(0, hole, hole + Math.floor(random() * 64))
  }
  return left
}

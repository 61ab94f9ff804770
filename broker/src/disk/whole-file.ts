// Small files that are read and replaced as a whole: checkpoints and properties.

import { type Disk, joinPath } from './disk.ts'

/** The content of a file; `undefined` when it is missing. */
export function readWhole(disk: Disk, directory: string, name: string): Uint8Array | undefined {
  if (disk.list(directory)?.includes(name) !== true) return undefined
  const file = disk.open(joinPath(directory, name))
  try {
    const content = new Uint8Array(file.size)
    return content.subarray(0, file.read(content, 0))
  } finally {
    file.close()
  }
}

/**
 * Puts new content in place of a file's old content, in one step: after a power cut the file holds
 * the one or the other. Durable when it resolves. Calls for one file must not overlap.
 */
export async function replaceWhole(
  disk: Disk,
  place: { readonly directory: string; readonly name: string },
  content: Uint8Array,
): Promise<void> {
  const path = joinPath(place.directory, place.name)
  const temporary = `${path}.tmp`
  disk.remove(temporary)
  const file = disk.open(temporary)
  try {
    file.append([content])
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  await disk.syncDirectory(place.directory)
}

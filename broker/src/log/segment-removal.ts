// Deleting segments that the log no longer needs. They are renamed first, so that a start in
// between finds either the segment or nothing of it.

import { type Disk, joinPath } from '../disk/disk.ts'
import { offsetFileName, type Segment, segmentSuffixes } from './segment.ts'

/** How many segments, from the oldest on, lie wholly below the log's start and below `synced`. */
export function givenUpSegments(
  segments: readonly Segment[],
  { logStart, synced }: { readonly logStart: bigint; readonly synced: bigint },
): number {
  const last = segments.findLastIndex(
    ({ baseOffset }) => baseOffset <= logStart && baseOffset <= synced,
  )
  return Math.max(0, last)
}

/**
 * Closes and deletes the files of segments. The new start of the log must be on the device before:
 * a start that finds some of them again then knows that they are given up.
 */
export async function removeSegments(
  place: { readonly disk: Disk; readonly directory: string },
  segments: readonly Segment[],
): Promise<void> {
  const { disk, directory } = place
  const renamed: string[] = []
  for (const segment of segments) {
    segment.close()
    for (const suffix of segmentSuffixes) {
      const path = joinPath(directory, offsetFileName(segment.baseOffset, suffix))
      disk.rename(path, `${path}.deleted`)
      renamed.push(`${path}.deleted`)
    }
  }
  await disk.syncDirectory(directory)
  for (const path of renamed) disk.remove(path)
}

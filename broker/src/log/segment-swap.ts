// Putting one file in the place of several segments, so that a power cut finds the old ones or the
// new one, and nothing between.
//
// S1. `<base>.log.cleaned` is unfinished: a start removes it.
// S2. `<base>.log.swap` is whole and on the device: a start puts it in the place of all segments
//     whose offsets it covers.

import { type Disk, joinPath } from '../disk/disk.ts'
import { headersIn } from './batch-scan.ts'
import { offsetFileName, offsetOfFileName, segmentSuffixes } from './segment.ts'

const cleanedSuffix = '.log.cleaned'
const swapSuffix = '.log.swap'

export interface SwapPlace {
  readonly disk: Disk
  readonly directory: string
}

/** The path of the file that is being written in the place of the segments from `base` on. */
export function cleanedPath({ directory }: SwapPlace, base: bigint): string {
  return joinPath(directory, offsetFileName(base, cleanedSuffix))
}

/** From here on the new file is what counts (S2). It must be synced and closed. */
export async function promise(place: SwapPlace, base: bigint): Promise<void> {
  place.disk.rename(cleanedPath(place, base), swapPath(place, base))
  await place.disk.syncDirectory(place.directory)
}

/** Takes the old files away, and gives the new one its name. The old ones must be closed. */
export function complete(place: SwapPlace, bases: readonly bigint[]): void {
  const { disk, directory } = place
  const [first] = bases
  if (first === undefined) return
  // An index of the old file must never stand beside the new one, so the indexes go first.
  for (const base of bases) {
    for (const suffix of segmentSuffixes) {
      if (suffix !== '.log') disk.remove(joinPath(directory, offsetFileName(base, suffix)))
    }
  }
  for (const base of bases.slice(1)) disk.remove(joinPath(directory, offsetFileName(base, '.log')))
  disk.rename(swapPath(place, first), joinPath(directory, offsetFileName(first, '.log')))
}

/** Brings to its end what a power cut interrupted. Returns whether there was anything. */
export function recoverSwaps(place: SwapPlace): boolean {
  const { disk, directory } = place
  const names = disk.list(directory) ?? []
  const cleaned = names.filter((name) => offsetOfFileName(name, cleanedSuffix) !== undefined)
  for (const name of cleaned) disk.remove(joinPath(directory, name))
  const swaps = names.flatMap((name) => offsetOfFileName(name, swapSuffix) ?? [])
  for (const base of swaps) {
    const last = lastOffsetIn(place, base)
    const covered = names.flatMap((name) => offsetOfFileName(name, '.log') ?? [])
    complete(place, [base, ...covered.filter((at) => at > base && at <= last)])
  }
  return cleaned.length > 0 || swaps.length > 0
}

function lastOffsetIn(place: SwapPlace, base: bigint): bigint {
  const file = place.disk.open(swapPath(place, base))
  try {
    let last = base
    for (const step of headersIn(file, { from: 0, to: file.size })) {
      if (step.kind === 'batch') last = step.header.lastOffset
    }
    return last
  } finally {
    file.close()
  }
}

function swapPath({ directory }: SwapPlace, base: bigint): string {
  return joinPath(directory, offsetFileName(base, swapSuffix))
}

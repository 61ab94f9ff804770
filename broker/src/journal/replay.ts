// Reading a journal back: applies what is whole, and finds where a torn tail begins.

import type { DiskFile } from '../disk/disk.ts'
import { frameAt, journalVersion, syncedAfter } from './frames.ts'
import { JournalError } from './journal-error.ts'

/**
 * Applies the records of every whole frame, in order, and returns where they end. What follows
 * there is a torn tail, which was never acknowledged, and is the caller's to cut.
 * @throws JournalError `damaged` when a frame that was durable is broken; `newer`
 */
export function replay(
  file: DiskFile,
  location: string,
  apply: (record: Uint8Array) => void,
): number {
  const bytes = Buffer.alloc(file.size)
  file.read(bytes, 0)
  let position = 0
  for (;;) {
    const outcome = frameAt(bytes, position)
    if (outcome.kind === 'end') return position
    if (outcome.kind === 'broken') {
      refuseDamage(bytes, position, location)
      return position
    }
    const { frame, end } = outcome
    if (frame.kind === 'header') refuseNewer(frame.version, location)
    if (frame.kind === 'records') for (const record of frame.records) apply(record)
    position = end
  }
}

function refuseDamage(bytes: Buffer, position: number, location: string): void {
  const synced = syncedAfter(bytes, position)
  if (synced <= position) return
  throw new JournalError(
    'damaged',
    `${location} is damaged at byte ${position}, below byte ${synced}, up to which it was safely ` +
      'on the disk: restore the data directory from a copy, or start with an empty one',
  )
}

function refuseNewer(version: number, location: string): void {
  if (version <= journalVersion) return
  throw new JournalError(
    'newer',
    `${location} has format ${version}, and this broker reads up to ${journalVersion}: ` +
      'use the newer broker that wrote it, or another data directory',
  )
}

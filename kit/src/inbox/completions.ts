import { commitMetadataBytesMax } from '../limits.ts'

/**
 * Offsets that are done above a committed one, as they are kept in the commit's metadata: what a
 * restart or a rebalance need not repeat, though an offset below it is not done yet.
 *
 * B1. It is at most `commitMetadataBytesMax` long. What does not fit is left out: those offsets
 *     are heard again, and the inbox knows them.
 * B2. It counts only beside the very offset and topic for which it was written. Other tools write
 *     metadata of their own, and copy ours beside other offsets, in other clusters.
 */

/** Beside which offset of which log it stands. */
export interface CompletionsPlace {
  readonly topicId: string
  /** The committed offset: the lowest that is not done. */
  readonly position: bigint
}

/** One bit an offset, base64: `millrace/1 <topic id> <position> <bits>`. */
const format = 'millrace/1'

/** The format, a topic id, the largest offset, and a space after each. */
const prefixBytesMax = format.length + 36 + 19 + 3

/** How far above the committed offset one that is done can be remembered: 24,168 offsets. */
export const completionsSpanMax = Math.floor((commitMetadataBytesMax - prefixBytesMax) / 4) * 3 * 8

/**
 * Beyond it above the committed offset nothing more is taken in, so that all that is done can be
 * remembered: three quarters, because what was asked for before still comes.
 */
export const intakeSpanMax = Math.floor(completionsSpanMax * 0.75)

/** Empty where nothing is done above the position. */
export function encodeCompletions(place: CompletionsPlace, done: Iterable<bigint>): string {
  const bits = Buffer.alloc(completionsSpanMax / 8)
  let length = 0
  for (const offset of done) {
    const index = Number(offset - place.position) - 1
    if (index < 0 || index >= completionsSpanMax) continue // B1
    const byte = index >> 3
    bits.writeUInt8(bits.readUInt8(byte) | (1 << (index & 7)), byte)
    length = Math.max(length, byte + 1)
  }
  if (length === 0) return ''
  return `${prefixOf(place)}${bits.subarray(0, length).toString('base64')}`
}

/** Nothing where the metadata is another's, or was written beside another offset (B2). */
export function decodeCompletions(place: CompletionsPlace, metadata: string): readonly bigint[] {
  const prefix = prefixOf(place)
  if (!metadata.startsWith(prefix)) return []
  const text = metadata.slice(prefix.length)
  const bits = Buffer.from(text, 'base64')
  if (bits.toString('base64') !== text) return []
  const done: bigint[] = []
  for (const [byte, value] of bits.entries()) {
    for (let bit = 0; bit < 8; bit += 1) {
      const isDone = (value & (1 << bit)) !== 0
      if (isDone) done.push(place.position + BigInt(byte * 8 + bit + 1))
    }
  }
  return done
}

function prefixOf({ topicId, position }: CompletionsPlace): string {
  return `${format} ${topicId} ${position} `
}

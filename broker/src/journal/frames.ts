// The bytes of a journal: frames, each with its length and its CRC-32C.
//
//   frame   = length:uint32  crc:uint32 of body  body
//   body    = kind:uint8  content
//   header  = kind 0, version:uint8                       the first frame, once
//   records = kind 1, ( length:uint32 bytes )*            one append, whole or not at all
//   synced  = kind 2, position:float64                    the file was durable up to here
//
// A `synced` frame tells damage from a torn tail: what breaks below a position that was durable
// did not break because the power failed while it was written.

import { crc32c } from '@millrace/wire'

export type Frame =
  | { readonly kind: 'header'; readonly version: number }
  | { readonly kind: 'records'; readonly records: readonly Uint8Array[] }
  | { readonly kind: 'synced'; readonly position: number }

export type FrameOutcome =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly end: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'broken' }

export const journalVersion = 1

const prefixBytes = 8
const kinds = { header: 0, records: 1, synced: 2 } as const
const syncedBodyBytes = 9

export function encodeHeader(version = journalVersion): Uint8Array {
  const body = Buffer.alloc(2)
  body.writeUInt8(kinds.header, 0)
  body.writeUInt8(version, 1)
  return framed(body)
}

export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  const size = records.reduce((sum, record) => sum + 4 + record.length, 1)
  const body = Buffer.alloc(size)
  body.writeUInt8(kinds.records, 0)
  let at = 1
  for (const record of records) {
    at = body.writeUInt32BE(record.length, at)
    body.set(record, at)
    at += record.length
  }
  return framed(body)
}

export function encodeSynced(position: number): Uint8Array {
  const body = Buffer.alloc(syncedBodyBytes)
  body.writeUInt8(kinds.synced, 0)
  body.writeDoubleBE(position, 1)
  return framed(body)
}

function framed(body: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(prefixBytes + body.length)
  frame.writeUInt32BE(body.length, 0)
  frame.writeUInt32BE(crc32c(body), 4)
  frame.set(body, prefixBytes)
  return frame
}

/** The frame at a position, as views of `bytes`. */
export function frameAt(bytes: Buffer, position: number): FrameOutcome {
  if (position === bytes.length) return { kind: 'end' }
  if (bytes.length - position < prefixBytes) return { kind: 'broken' }
  const start = position + prefixBytes
  const end = start + bytes.readUInt32BE(position)
  if (end > bytes.length || end === start) return { kind: 'broken' }
  const body = bytes.subarray(start, end)
  if (crc32c(body) !== bytes.readUInt32BE(position + 4)) return { kind: 'broken' }
  const frame = decodeBody(body)
  return frame === undefined ? { kind: 'broken' } : { kind: 'frame', frame, end }
}

function decodeBody(body: Buffer): Frame | undefined {
  switch (body.readUInt8(0)) {
    case kinds.header:
      return { kind: 'header', version: body.readUInt8(1) }
    case kinds.records:
      return { kind: 'records', records: decodeRecords(body) }
    case kinds.synced:
      return { kind: 'synced', position: body.readDoubleBE(1) }
    default:
      return undefined
  }
}

function decodeRecords(body: Buffer): readonly Uint8Array[] {
  const records: Uint8Array[] = []
  let at = 1
  while (at < body.length) {
    const start = at + 4
    at = start + body.readUInt32BE(at)
    records.push(body.subarray(start, at))
  }
  return records
}

/** The greatest position that any `synced` frame at or after `from` vouches for; 0 without one. */
export function syncedAfter(bytes: Buffer, from: number): number {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(syncedBodyBytes)
  let greatest = 0
  for (let at = bytes.indexOf(length, from); at >= 0; at = bytes.indexOf(length, at + 1)) {
    const outcome = frameAt(bytes, at)
    if (outcome.kind === 'frame' && outcome.frame.kind === 'synced') {
      greatest = Math.max(greatest, outcome.frame.position)
    }
  }
  return greatest
}

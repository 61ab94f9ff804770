import { createRequire } from 'node:module'

/**
 * CRC-32C (Castagnoli), the checksum of record batches. Long inputs go to a native addon where
 * npm could install one (an optional dependency); short ones, and all of them elsewhere, are
 * computed here, eight bytes a step by eight tables ("slicing by 8").
 */
export function crc32c(bytes: Uint8Array): number {
  return native !== undefined && bytes.byteLength >= nativeBytesMin
    ? native(bytes)
    : crc32cByTables(bytes)
}

/** Calling the addon costs as much as the tables need for about this many bytes. */
const nativeBytesMin = 256

const native = loadNative()

/** Undefined where the platform has no build of it: everything works, at a quarter of the speed. */
function loadNative(): ((bytes: Uint8Array) => number) | undefined {
  try {
    const addon: unknown = createRequire(import.meta.url)('@node-rs/crc32')
    return isAddon(addon) ? (bytes) => addon.crc32c(bytes) : undefined
  } catch {
    return undefined
  }
}

interface Addon {
  crc32c(bytes: Uint8Array): number
}

function isAddon(value: unknown): value is Addon {
  return (
    typeof value === 'object' &&
    value !== null &&
    'crc32c' in value &&
    typeof value.crc32c === 'function'
  )
}

/** The same without the addon. */
export function crc32cByTables(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.byteLength
  const endOfEights = end - (end % 8)
  let crc = -1
  let at = 0
  for (; at < endOfEights; at += 8) {
    const low = crc ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    crc =
      entry(7, low & 0xff) ^
      entry(6, (low >>> 8) & 0xff) ^
      entry(5, (low >>> 16) & 0xff) ^
      entry(4, low >>> 24) ^
      entry(3, high & 0xff) ^
      entry(2, (high >>> 8) & 0xff) ^
      entry(1, (high >>> 16) & 0xff) ^
      entry(0, high >>> 24)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ entry(0, (crc ^ view.getUint8(at)) & 0xff)
  return ~crc >>> 0
}

/** The polynomial with its bits reversed, as the bytes are fed lowest bit first. */
const polynomial = 0x82f6_3b78

/** Table n holds what a byte contributes when n more bytes follow it in the same step. */
const tables = buildTables()

function entry(table: number, byte: number): number {
  return tables[table * 256 + byte] ?? 0
}

function buildTables(): Int32Array {
  const all = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0)
    all[byte] = crc
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256] ?? 0
    all[at] = (before >>> 8) ^ (all[before & 0xff] ?? 0)
  }
  return all
}

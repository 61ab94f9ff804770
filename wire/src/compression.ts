import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils'
import { tooLarge } from './inflated-bytes.ts'
import { inflatedBytesMax } from './limits.ts'
import { inflateLz4 } from './lz4.ts'
import { inflateSnappy } from './snappy.ts'
import { WireError } from './wire-error.ts'

/** Kafka's codecs, at the number by which the attributes of a batch name them. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type Compression = (typeof compressionNames)[number]

/** The codec's name; throws `unsupported-compression` for a number that is nobody's. */
export function compressionOf(compressionType: number): Compression {
  const name = compressionNames[compressionType]
  if (name !== undefined) return name
  const known = compressionNames.join(', ')
  const text = `compression type ${compressionType} is none of ${known} (0–4)`
  throw new WireError('unsupported-compression', text)
}

export interface InflateOptions {
  /** Where to stop: a small batch can say a hundred times its size, or a thousand. */
  readonly bytesMax?: number
}

/**
 * The bytes behind compressed ones; throws `too-large` past the limit, and `malformed` or
 * `truncated` for bytes that are not of that codec. Blocks while it works.
 */
export function inflate(
  compression: Compression,
  input: Uint8Array,
  { bytesMax = inflatedBytesMax }: InflateOptions = {},
): Uint8Array {
  switch (compression) {
    case 'none':
      return input
    case 'gzip':
      return byZlib(() => gunzipSync(input, { maxOutputLength: bytesMax }), bytesMax)
    case 'snappy':
      return inflateSnappy(input, bytesMax)
    case 'lz4':
      return inflateLz4(input, bytesMax)
    case 'zstd':
      return byZlib(() => zstdDecompressSync(input, { maxOutputLength: bytesMax }), bytesMax)
    default:
      return compression satisfies never
  }
}

/** Snappy comes out raw, without xerial's framing, which every reader of Kafka's records takes. */
export function deflate(compression: Compression, input: Uint8Array): Uint8Array {
  switch (compression) {
    case 'none':
      return input
    case 'gzip':
      return gzipSync(input)
    case 'snappy':
      return snappyCompress(Buffer.from(input))
    case 'lz4':
      return lz4Compress(Buffer.from(input))
    case 'zstd':
      return zstdCompressSync(input)
    default:
      return compression satisfies never
  }
}

function byZlib(run: () => Uint8Array, bytesMax: number): Uint8Array {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(bytesMax, cause)
    }
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new WireError('malformed', `the records can not be decompressed: ${reason}`, { cause })
  }
}

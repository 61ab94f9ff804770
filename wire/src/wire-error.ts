/**
 * What can be wrong with bytes that came from outside:
 * - `truncated`: the bytes end before the value does;
 * - `malformed`: a length, a count or a varint that no writer of this protocol makes;
 * - `unsupported-version`: the message is not declared at that version;
 * - `unsupported-compression`: a batch names a codec that Kafka does not have;
 * - `too-large`: the inflated bytes pass the limit that the caller set.
 */
export type WireErrorCode =
  | 'truncated'
  | 'malformed'
  | 'unsupported-version'
  | 'unsupported-compression'
  | 'too-large'

/** Thrown for bytes, never for a mistake of the program: that is a `TypeError` or `RangeError`. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: WireErrorCode
  /** The same bytes fail the same way for ever. */
  readonly retriable = false

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The same error, with the field in which it happened before its message. */
export function under(field: string, cause: unknown): unknown {
  if (cause instanceof WireError) {
    return new WireError(cause.code, `${field}: ${cause.message}`, { cause })
  }
  if (cause instanceof TypeError) return new TypeError(`${field}: ${cause.message}`, { cause })
  if (cause instanceof RangeError) return new RangeError(`${field}: ${cause.message}`, { cause })
  return cause
}

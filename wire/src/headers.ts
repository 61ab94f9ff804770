import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** What stands before the body of every request. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** `null` also where header v0, which has no client id, was sent. */
  readonly clientId: string | null
}

/** v1 is that of the classic versions, v2 that of the flexible ones (KIP-482); v0 is historical. */
export type RequestHeaderVersion = 0 | 1 | 2
export type ResponseHeaderVersion = 0 | 1

const apiVersionsKey = 18

/**
 * Reads what v1 and v2 have alike, and stops before the tagged fields of v2: only who knows the API
 * can tell whether there are any. `decodeRequest` goes on from there.
 */
export function readRequestHeader(reader: Reader): RequestHeader {
  return {
    apiKey: reader.int16(),
    apiVersion: reader.int16(),
    correlationId: reader.int32(),
    // Also v2 keeps the classic length, so that a broker can read it from any client (KIP-482).
    clientId: reader.nullableString(),
  }
}

export function writeRequestHeader(
  writer: Writer,
  version: RequestHeaderVersion,
  header: RequestHeader,
): void {
  writer.int16(header.apiKey)
  writer.int16(header.apiVersion)
  writer.int32(header.correlationId)
  if (version >= 1) writer.nullableString(header.clientId)
  if (version >= 2) writer.unsignedVarint(0)
}

export function requestHeaderVersion(flexible: boolean): RequestHeaderVersion {
  return flexible ? 2 : 1
}

/** Returns the correlation id. */
export function readResponseHeader(reader: Reader, version: ResponseHeaderVersion): number {
  const correlationId = reader.int32()
  if (version >= 1) reader.skipTaggedFields()
  return correlationId
}

export function writeResponseHeader(
  writer: Writer,
  version: ResponseHeaderVersion,
  correlationId: number,
): void {
  writer.int32(correlationId)
  if (version >= 1) writer.unsignedVarint(0)
}

/**
 * The answer to ApiVersions always has header v0, because a client that asks with a version which
 * the broker does not know must be able to read the refusal (KIP-511).
 */
export function responseHeaderVersion(apiKey: number, flexible: boolean): ResponseHeaderVersion {
  return flexible && apiKey !== apiVersionsKey ? 1 : 0
}

import {
  type RequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeRequestHeader,
  writeResponseHeader,
} from './headers.ts'
import {
  type AnyMessage,
  isFlexible,
  type Message,
  message,
  supports,
  type VersionRange,
} from './message.ts'
import type { Reader } from './reader.ts'
import type { InputOf, Shape, ValueOf } from './schema.ts'
import { type Encoded, Writer } from './writer.ts'

/** One of Kafka's APIs: its number, the versions that are declared, and both messages. */
export interface Api<Request extends Shape, Response extends Shape> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly flexibleSince: number | null
  readonly request: Message<Request>
  readonly response: Message<Response>
}

/** An API whose messages are not known where it is used; every `Api` is one. */
export interface AnyApi {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly flexibleSince: number | null
  readonly request: AnyMessage
  readonly response: AnyMessage
}

export interface ApiDeclaration<Request extends Shape, Response extends Shape> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly flexibleSince: number | null
  readonly request: Request
  readonly response: Response
}

/** What decoding a request of that API gives. */
export type RequestOf<A> = A extends { request: Message<infer S> } ? ValueOf<S> : never
/** What decoding a response of that API gives. */
export type ResponseOf<A> = A extends { response: Message<infer S> } ? ValueOf<S> : never
/** What encoding a request takes: fields with bounds or defaults may be left out. */
export type RequestInput<A> = A extends { request: Message<infer S> } ? InputOf<S> : never
/** What encoding a response takes: fields with bounds or defaults may be left out. */
export type ResponseInput<A> = A extends { response: Message<infer S> } ? InputOf<S> : never

export function api<Request extends Shape, Response extends Shape>(
  declaration: ApiDeclaration<Request, Response>,
): Api<Request, Response> {
  const { key, name, versions, flexibleSince } = declaration
  const bounds = { versions, flexibleSince }
  return {
    key,
    name,
    versions,
    flexibleSince,
    request: message({ ...bounds, name: `${name} request`, shape: declaration.request }),
    response: message({ ...bounds, name: `${name} response`, shape: declaration.response }),
  }
}

/** Whether requests of that version can be decoded, and its responses encoded. */
export function supportsVersion(api: Pick<AnyApi, 'versions'>, version: number): boolean {
  return supports(api.versions, version)
}

/** What a request says of itself beside its API. */
export type RequestEnvelope = Omit<RequestHeader, 'apiKey'>

/** A whole frame: length, header, body. */
export function encodeRequest<Request extends Shape, Response extends Shape>(
  api: Api<Request, Response>,
  envelope: RequestEnvelope,
  request: InputOf<Request>,
): Encoded {
  const writer = openFrame()
  const headerVersion = requestHeaderVersion(isFlexible(api.flexibleSince, envelope.apiVersion))
  writeRequestHeader(writer, headerVersion, { ...envelope, apiKey: api.key })
  api.request.encode(writer, envelope.apiVersion, request)
  return closeFrame(writer)
}

/** Reads a body where `readRequestHeader` stopped. Bytes after the body are left alone. */
export function decodeRequest<Request extends Shape, Response extends Shape>(
  api: Api<Request, Response>,
  version: number,
  reader: Reader,
): ValueOf<Request> {
  if (isFlexible(api.flexibleSince, version)) reader.skipTaggedFields()
  return api.request.decode(reader, version)
}

/** What a response answers. */
export interface ResponseEnvelope {
  readonly apiVersion: number
  readonly correlationId: number
}

/** A whole frame: length, header, body. Large records are chunks of their own, not copied. */
export function encodeResponse<Request extends Shape, Response extends Shape>(
  api: Api<Request, Response>,
  { apiVersion, correlationId }: ResponseEnvelope,
  response: InputOf<Response>,
): Encoded {
  const writer = openFrame()
  const flexible = isFlexible(api.flexibleSince, apiVersion)
  writeResponseHeader(writer, responseHeaderVersion(api.key, flexible), correlationId)
  api.response.encode(writer, apiVersion, response)
  return closeFrame(writer)
}

/** Reads a frame without its length. */
export function decodeResponse<Request extends Shape, Response extends Shape>(
  api: Api<Request, Response>,
  version: number,
  reader: Reader,
): { readonly correlationId: number; readonly response: ValueOf<Response> } {
  const flexible = isFlexible(api.flexibleSince, version)
  const correlationId = readResponseHeader(reader, responseHeaderVersion(api.key, flexible))
  return { correlationId, response: api.response.decode(reader, version) }
}

/** The length is written last, when it is known; it is the first four bytes of the first chunk. */
function openFrame(): Writer {
  const writer = new Writer()
  writer.int32(0)
  return writer
}

function closeFrame(writer: Writer): Encoded {
  const frame = writer.encoded()
  const [first] = frame.chunks
  if (first === undefined) throw new TypeError('a frame without its length')
  new DataView(first.buffer, first.byteOffset).setInt32(0, frame.byteLength - 4)
  return frame
}

import {
  type AnyApi,
  type Api,
  decodeRequest,
  encodeResponse,
  type InputOf,
  type Reader,
  type RequestHeader,
  type Shape,
  type ValueOf,
} from '@millrace/wire'
import type { BrokerParts } from './broker-parts.ts'
import type { Endpoint } from './endpoint.ts'
import { noReply, type Reply } from './reply-queue.ts'

/** What a handler gives: the response, or nothing to say; at once or later. */
export type Answer<Response extends Shape> =
  | InputOf<Response>
  | typeof noReply
  | Promise<InputOf<Response> | typeof noReply>

/** What a handler knows of the request beside its fields. */
export interface RequestContext {
  readonly broker: BrokerParts
  readonly apiVersion: number
  readonly clientId: string
  /** The client's address as Kafka writes it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Of the listener through which the request came. */
  readonly endpoint: Endpoint
  /** The reply holds bytes that are lent: `giveBack` is called once, when they are not needed. */
  borrow(giveBack: () => void): void
  /** Calls back when the client is gone; returns the way to stop that. */
  onDisconnect(act: () => void): () => void
}

/** The behaviour of one API, with the types of its messages closed over. */
export interface Handler {
  readonly api: AnyApi
  /** Nothing of the connection is handled while this waits, as in Kafka; bounds its replies. */
  readonly holdsConnection: boolean
  /**
   * Decodes the body where `reader` stands, answers, and encodes.
   * @throws WireError for a body that is not this request
   */
  serve(reader: Reader, header: RequestHeader, context: RequestContext): Reply | Promise<Reply>
}

/**
 * Says what the broker does with requests of one API. Bytes in a request are views of the read
 * buffer: who keeps them past the call copies them.
 */
export function handler<Request extends Shape, Response extends Shape>(
  api: Api<Request, Response>,
  respond: (request: ValueOf<Request>, context: RequestContext) => Answer<Response>,
  options: { readonly holdsConnection?: boolean } = {},
): Handler {
  return {
    api,
    holdsConnection: options.holdsConnection ?? false,
    serve(reader, header, context) {
      const request = decodeRequest(api, header.apiVersion, reader)
      const interceptor = context.broker.interceptors.of(api)
      const answer =
        interceptor === undefined
          ? respond(request, context)
          : interceptor.intercept({
              request,
              apiVersion: header.apiVersion,
              clientId: context.clientId,
              proceed: async (changed) => respond(changed ?? request, context),
            })
      const reply = (response: InputOf<Response> | typeof noReply): Reply =>
        response === noReply ? undefined : encodeResponse(api, header, response)
      return answer instanceof Promise ? answer.then(reply) : reply(answer)
    },
  }
}

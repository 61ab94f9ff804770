// What a test may do to a request before the broker does: look at it, hold it back, change it,
// answer in the broker's place, leave it unanswered, or cut the connection.

import type { AnyApi, Api, InputOf, Shape, ValueOf } from '@millrace/wire'
import type { noReply } from './reply-queue.ts'

/** One request on its way in. */
export interface InterceptedCall<Request extends Shape, Response extends Shape> {
  readonly request: ValueOf<Request>
  readonly apiVersion: number
  readonly clientId: string
  /** Lets the broker answer, to this request or to a changed one. */
  proceed(this: void, request?: ValueOf<Request>): Promise<InputOf<Response> | typeof noReply>
}

/**
 * Gives the response that the client gets, or `noReply`. Until it has, nothing else of that
 * connection is handled. When it throws, the connection is cut, as by a broker that died.
 */
export type Intercept<Request extends Shape, Response extends Shape> = (
  call: InterceptedCall<Request, Response>,
) => Promise<InputOf<Response> | typeof noReply>

interface Interceptor<Request extends Shape, Response extends Shape> {
  intercept(call: InterceptedCall<Request, Response>): Promise<InputOf<Response> | typeof noReply>
}

/** The interceptors of one broker. The latest one of an API decides alone. */
export class Interceptors {
  readonly #byKey = new Map<number, Interceptor<Shape, Shape>[]>()

  /** Puts an interceptor before an API until it is disposed of. */
  add<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
    intercept: Intercept<Request, Response>,
  ): Disposable {
    const stack = this.#byKey.get(api.key) ?? []
    this.#byKey.set(api.key, stack)
    const interceptor: Interceptor<Request, Response> = { intercept }
    stack.push(interceptor)
    return {
      [Symbol.dispose]: () => {
        const at = stack.indexOf(interceptor)
        if (at >= 0) stack.splice(at, 1)
      },
    }
  }

  /** Whether requests of that API are intercepted at the moment. */
  has(apiKey: number): boolean {
    return (this.#byKey.get(apiKey)?.length ?? 0) > 0
  }

  /** The interceptor that decides about requests of that API. */
  of<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
  ): Interceptor<Request, Response> | undefined
  // `add` put in only what fits the API of this key.
  of(api: AnyApi): Interceptor<Shape, Shape> | undefined {
    return this.#byKey.get(api.key)?.at(-1)
  }
}

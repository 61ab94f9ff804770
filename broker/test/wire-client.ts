// A client that sends what it is told, well-formed or not, and matches replies to requests by their
// order alone: it would notice one that came too early.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Api,
  decodeResponse,
  encodeRequest,
  type InputOf,
  joined,
  Reader,
  type Shape,
  type ValueOf,
} from '@millrace/wire'

type Waiting = (frame: Buffer) => void

export class WireClient implements AsyncDisposable {
  readonly socket: Socket
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<unknown>
  readonly #waiting: { readonly take: Waiting; readonly fail: (error: Error) => void }[] = []
  #bytes = Buffer.alloc(0)
  #lastCorrelationId = 0

  static async connect(address: { host: string; port: number }): Promise<WireClient> {
    const host = address.host === 'localhost' ? '127.0.0.1' : address.host
    const socket = connect({ host, port: address.port })
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = once(socket, 'close')
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('close', () => {
      for (const { fail } of this.#waiting) fail(new Error('the broker closed the connection'))
    })
  }

  /** How many replies have not come. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Sends a request; resolves with its response, or rejects when the connection is closed. */
  ask<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
    version: number,
    request: InputOf<Request>,
  ): Promise<ValueOf<Response>> {
    const correlationId = this.#send(api, version, request)
    const reply = this.#reply().then((frame) => {
      const decoded = decodeResponse(api, version, new Reader(frame))
      assert.equal(decoded.correlationId, correlationId, 'replies leave in the order of requests')
      return decoded.response
    })
    reply.catch(() => {})
    return reply
  }

  /** Sends a request to which no reply is expected. */
  tell<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
    version: number,
    request: InputOf<Request>,
  ): void {
    this.#send(api, version, request)
  }

  /** Sends bytes as they are; resolves with the next reply as it is. */
  askRaw(bytes: Uint8Array): Promise<Buffer> {
    this.socket.write(bytes)
    const reply = this.#reply()
    reply.catch(() => {})
    return reply
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    if (!this.socket.closed) await this.closed
  }

  #send<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
    version: number,
    request: InputOf<Request>,
  ): number {
    this.#lastCorrelationId += 1
    const correlationId = this.#lastCorrelationId
    const envelope = { apiVersion: version, correlationId, clientId: 'wire-client' }
    this.socket.write(joined(encodeRequest(api, envelope, request)))
    return correlationId
  }

  #reply(): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    this.#waiting.push({ take: resolve, fail: reject })
    return promise
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 4) {
      const end = 4 + this.#bytes.readInt32BE(0)
      if (this.#bytes.length < end) return
      const frame = this.#bytes.subarray(4, end)
      this.#bytes = this.#bytes.subarray(end)
      const next = this.#waiting.shift()
      assert.ok(next !== undefined, 'a reply that nobody asked for')
      next.take(frame)
    }
  }
}

// Accepts sockets at one address and makes connections of them.

import { createServer, type Server, type Socket } from 'node:net'
import type { BrokerParts } from './broker-parts.ts'
import { Connection } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { connectionsMax } from './limits.ts'
import { type ReadStrategy, readSocket } from './socket-reader.ts'

export interface ListenerOptions {
  /** Where to listen; port 0 takes one that the system gives. */
  readonly host: string
  readonly port: number
  readonly reads: ReadStrategy
}

/** An address at which the broker listens. Who connects before it serves, waits. */
export class Listener implements AsyncDisposable {
  readonly #server: Server
  readonly #reads: ReadStrategy
  readonly #sockets = new Set<Socket>()
  #early: Socket[] = []
  #accept = (socket: Socket): void => void this.#early.push(socket)
  readonly host: string
  readonly port: number

  /**
   * Takes the address. Clients are accepted from here on, and served from `serve` on.
   * @throws ListenError when the address is taken, or is none of this machine
   */
  static async open(options: ListenerOptions): Promise<Listener> {
    const server = createServer({ pauseOnConnect: true, noDelay: true })
    server.maxConnections = connectionsMax
    await listening(server, options)
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : options.port
    return new Listener(server, { ...options, port })
  }

  private constructor(server: Server, { host, port, reads }: ListenerOptions) {
    this.#server = server
    this.#reads = reads
    this.host = host
    this.port = port
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** Serves whoever connects; `endpoint` is where its clients are told to find the broker. */
  serve(broker: BrokerParts, endpoint: Endpoint): void {
    this.#accept = (accepted) =>
      readSocket(accepted, this.#reads, (socket, frames) => {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
        return new Connection(socket, { broker, endpoint, frames })
      })
    for (const socket of this.#early) this.#accept(socket)
    this.#early = []
  }

  /** Accepts nobody any more, and cuts the connections. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    for (const socket of [...this.#sockets, ...this.#early]) socket.destroy()
    await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** `inUse`: somebody else listens there. `unavailable`: this machine has no such address. */
export type ListenErrorCode = 'inUse' | 'unavailable' | 'failed'

export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: ListenErrorCode
  readonly retriable: boolean

  constructor(code: ListenErrorCode, message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
    this.retriable = code === 'inUse'
  }
}

function listening(server: Server, { host, port }: ListenerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (error) => reject(listenError(error, { host, port })))
  server.listen({ host, port, ipv6Only: host.includes(':') }, resolve)
  return promise
}

function listenError(error: Error, { host, port }: Endpoint): ListenError {
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const code = 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    const message = `port ${port} is in use (${at}): stop what listens there, or choose another port`
    return new ListenError('inUse', message, error)
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' || code === 'ENOTFOUND') {
    const message = `this machine has no address ${host} to listen at`
    return new ListenError('unavailable', message, error)
  }
  return new ListenError('failed', `cannot listen at ${at}: ${error.message}`, error)
}

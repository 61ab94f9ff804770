import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../clock.ts'
import type { Environment } from '../environment.ts'
import { MillraceError } from '../errors.ts'
import { httpDrainMsMax } from '../limits.ts'
import type { RunningServer } from '../server.ts'

export interface ListenSource {
  readonly name: string
  /** 0 lets the system choose. */
  readonly port: number
  /** `HTTP_HOST`: where to listen. Default: localhost, on both of its addresses. */
  readonly env: Environment
}

/** Listens, and says where. Throws `port-in-use`, or `config-invalid` for a host that is none. */
export async function listen(http: FastifyInstance, source: ListenSource): Promise<RunningServer> {
  const host = source.env['HTTP_HOST']?.trim() || 'localhost'
  let second: Server | null = null
  try {
    await http.listen({ port: source.port, host: host === 'localhost' ? '127.0.0.1' : host })
    if (host === 'localhost') second = await listenOnIpv6(http, source.port)
  } catch (error) {
    await http.close()
    throw listenError(error, source, host)
  }
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return {
    urls: [`http://${name.includes(':') ? `[${name}]` : name}:${portOf(http)}`],
    stop: () => close(http, second),
  }
}

/** A reply sent while the server stops ends its connection; a kept one would hold up the stop. */
export function closeAfterLastReply(http: FastifyInstance): void {
  let isClosing = false
  http.addHook('preClose', (done) => {
    isClosing = true
    done()
  })
  http.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done()
  })
}

function portOf(http: FastifyInstance): number {
  const [address] = http.addresses()
  return typeof address === 'object' ? address.port : 0
}

/**
 * Clients resolve localhost to either address, and not every hosts file has both. What connects
 * here is handed to the one HTTP server. A machine without IPv6 does without.
 */
async function listenOnIpv6(http: FastifyInstance, portAsked: number): Promise<Server | null> {
  const server = createServer((socket) => http.server.emit('connection', socket))
  try {
    server.listen(portOf(http), '::1')
    await once(server, 'listening')
    return server
  } catch (error) {
    // A port that the system chose for IPv4 may be another's on IPv6.
    if (codeOf(error) === 'EADDRINUSE' && portAsked !== 0) throw error
    return null
  }
}

/** Lets requests finish, for a while. */
async function close(http: FastifyInstance, second: Server | null): Promise<void> {
  const timer = systemClock.after(httpDrainMsMax, () => http.server.closeAllConnections())
  try {
    second?.close()
    await http.close()
  } finally {
    timer.cancel()
  }
}

function listenError(cause: unknown, { name, port }: ListenSource, host: string): unknown {
  const code = codeOf(cause)
  if (code === 'EADDRINUSE') {
    return new MillraceError(
      'port-in-use',
      `port ${port} is taken, so ${name} cannot listen there; stop the program that uses it, or ` +
        'move all ports with --port-offset',
      { cause, retriable: true },
    )
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new MillraceError(
      'config-invalid',
      `${name} cannot listen on ${host}, port ${port} (${code}); check HTTP_HOST and the port`,
      { cause },
    )
  }
  return cause
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

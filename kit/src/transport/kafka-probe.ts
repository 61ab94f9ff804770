import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { kafkaProbeTimeoutMs } from '../limits.ts'

/** What was found at a bootstrap server's address. */
export type Probe =
  | { readonly kind: 'kafka' }
  /** Nobody listens, or the name is unknown: the system's code says which. */
  | { readonly kind: 'unreachable'; readonly code: string }
  /** It accepts the connection and then says nothing. */
  | { readonly kind: 'silent' }
  /** It answers with a TLS record, and was asked without TLS. */
  | { readonly kind: 'encrypted' }
  /** It has TLS, and we do not trust its certificate: OpenSSL's or Node's code says why. */
  | { readonly kind: 'untrusted'; readonly code: string }
  /** It answers, or hangs up, as no Kafka does. */
  | { readonly kind: 'stranger' }

export interface ProbeOptions {
  readonly tls: boolean
  readonly ca?: string
}

const correlationId = 0x4d494c4c

/** ApiVersions, version 0: the one request that every Kafka answers, even before SASL. */
const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0x4d, 0x49, 0x4c, 0x4c, 0xff, 0xff])

/**
 * Asks an address whether it is a Kafka. It is for error messages only: the client reports the
 * same `Connection closed` for a web server, a TLS listener and a broker that was stopped.
 */
export function probeBroker(broker: string, { tls, ca }: ProbeOptions): Promise<Probe> {
  const { host, port } = addressOf(broker)
  const trusted = ca === undefined ? {} : { ca }
  const named = isIP(host) === 0 ? { servername: host } : {}
  return new Promise((resolve) => {
    const socket = tls
      ? connectTls({ host, port, ...trusted, ...named })
      : connectPlain({ host, port })
    const timeout = setTimeout(() => end({ kind: 'silent' }), kafkaProbeTimeoutMs)
    const end = (probe: Probe): void => {
      clearTimeout(timeout)
      socket.destroy()
      resolve(probe)
    }
    ask(socket, tls, end)
  })
}

function ask(socket: Socket, tls: boolean, end: (probe: Probe) => void): void {
  let connected = false
  let answer = Buffer.alloc(0)
  socket.once('connect', () => {
    connected = true
  })
  socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(request))
  socket.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk])
    const probe = recognise(answer)
    if (probe !== null) end(probe)
  })
  socket.once('end', () => end({ kind: 'stranger' }))
  socket.once('error', ({ code = 'error' }: NodeJS.ErrnoException) => {
    if (!connected) end({ kind: 'unreachable', code })
    else end(isDistrust(code) ? { kind: 'untrusted', code } : { kind: 'stranger' })
  })
}

/** The codes of a certificate that was read and is not accepted. */
function isDistrust(code: string): boolean {
  return /CERT|SIGNATURE|ALTNAME|ISSUER/.test(code)
}

/** Null until there are enough bytes to tell. */
export function recognise(answer: Buffer): Probe | null {
  // A TLS record: its type (20 to 23), then major version 3.
  if (answer.length >= 2) {
    const type = answer.readUInt8(0)
    if (type >= 20 && type <= 23 && answer.readUInt8(1) === 3) return { kind: 'encrypted' }
  }
  if (answer.length < 8) return null
  return answer.readInt32BE(4) === correlationId ? { kind: 'kafka' } : { kind: 'stranger' }
}

/** `host:port`, `[::1]:port` or a bare host; Kafka's port where none is given. */
export function addressOf(broker: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(broker)
  const host = match?.[1] ?? match?.[2] ?? broker
  return { host, port: match?.[3] === undefined ? 9092 : Number(match[3]) }
}

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import {
  type AnyApi,
  ApiVersions,
  encodeResponse,
  errors,
  Reader,
  type RequestHeader,
  readRequestHeader,
  SaslAuthenticate,
  SaslHandshake,
} from '@millrace/wire'

/** A Kafka that wants a password, and refuses every one that it is shown. */
export async function refusingKafka(): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    let received = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const size = received.readInt32BE(0)
        for (const chunk of answer(received.subarray(4, 4 + size))) socket.write(chunk)
        received = received.subarray(4 + size)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  return {
    address: `127.0.0.1:${typeof place === 'object' && place !== null ? place.port : 0}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const spoken: readonly AnyApi[] = [ApiVersions, SaslHandshake, SaslAuthenticate]

function answer(frame: Uint8Array): readonly Uint8Array[] {
  const header = readRequestHeader(new Reader(frame))
  switch (header.apiKey) {
    case ApiVersions.key: {
      const apiKeys = spoken.map(({ key, versions: [minVersion, maxVersion] }) => {
        return { apiKey: key, minVersion, maxVersion }
      })
      return encodeResponse(ApiVersions, header, { errorCode: 0, apiKeys }).chunks
    }
    case SaslHandshake.key:
      return encodeResponse(SaslHandshake, header, { errorCode: 0, mechanisms: ['PLAIN'] }).chunks
    default:
      return refusal(header)
  }
}

function refusal(header: RequestHeader): readonly Uint8Array[] {
  return encodeResponse(SaslAuthenticate, header, {
    errorCode: errors.saslAuthenticationFailed.code,
    errorMessage: 'Authentication failed: Invalid username or password',
    authBytes: new Uint8Array(0),
  }).chunks
}

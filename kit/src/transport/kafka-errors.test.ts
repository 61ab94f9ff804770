import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { openKafka } from './kafka.ts'
import { addressOf, recognise } from './kafka-probe.ts'
import type { KafkaSettings } from './kafka-settings.ts'

const plain: Omit<KafkaSettings, 'brokers'> = { clientId: 'test', tls: false, sasl: null }

/** Something that listens and is no Kafka. */
async function stranger(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    answer(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    broker: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a port where nobody listens is told by its address and what to do', async () => {
  await using server = await stranger(() => {})
  const { broker } = server
  await server[Symbol.asyncDispose]()
  await using kafka = openKafka({ ...plain, brokers: [broker] })
  await assert.rejects(kafka.cluster(), {
    code: 'kafka-unavailable',
    retriable: true,
    message: `no Kafka answers at ${broker} (ECONNREFUSED): start it, or set KAFKA_BROKERS`,
  })
})

test('a web server in Kafka’s place is told as no Kafka', async () => {
  await using server = await stranger((socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  })
  await using kafka = openKafka({ ...plain, brokers: [server.broker] })
  await assert.rejects(kafka.cluster(), {
    code: 'kafka-unavailable',
    message: `what answers at ${server.broker} is no Kafka: check the port in KAFKA_BROKERS`,
  })
})

test('a listener that wants TLS is told by the variable to set', async () => {
  const alert = Buffer.from([21, 3, 3, 0, 2, 2, 40])
  await using server = await stranger((socket) => {
    socket.on('data', () => socket.end(alert))
  })
  await using kafka = openKafka({ ...plain, brokers: [server.broker] })
  await assert.rejects(kafka.cluster(), {
    code: 'kafka-unavailable',
    message: `Kafka at ${server.broker} wants TLS: set KAFKA_SSL=true`,
  })
})

test('a listener that knows no users is told by the variable that is set', async () => {
  const probed = Buffer.from('MILL')
  await using server = await stranger((socket) => {
    socket.on('data', (bytes: Buffer) => {
      const isProbe = bytes.includes(probed)
      socket.end(isProbe ? Buffer.concat([Buffer.from([0, 0, 0, 10]), probed]) : '')
    })
  })
  const sasl = { mechanism: 'plain', username: 'ann', password: 'secret' } as const
  await using kafka = openKafka({ ...plain, sasl, brokers: [server.broker] })
  await assert.rejects(kafka.cluster(), {
    code: 'kafka-unavailable',
    message:
      /broke off \(.*[^.]\): it may know no users at this port \(KAFKA_SASL_USERNAME is set\)$/,
  })
})

const answers: readonly [string, Buffer, string | null][] = [
  ['a Kafka', Buffer.from([0, 0, 0, 10, 0x4d, 0x49, 0x4c, 0x4c]), 'kafka'],
  ['another correlation id', Buffer.from([0, 0, 0, 10, 0, 0, 0, 1]), 'stranger'],
  ['a TLS alert', Buffer.from([21, 3]), 'encrypted'],
  ['too few bytes to tell', Buffer.from([0, 0, 0, 10, 0x4d]), null],
]
for (const [what, bytes, kind] of answers) {
  test(`${what} is recognised`, () => assert.equal(recognise(bytes)?.kind ?? null, kind))
}

const addresses: readonly [string, string, number][] = [
  ['kafka:29092', 'kafka', 29_092],
  ['[::1]:9093', '::1', 9_093],
  ['localhost', 'localhost', 9_092],
]
for (const [broker, host, port] of addresses) {
  test(`"${broker}" is ${host} and ${port}`, () => {
    assert.deepEqual(addressOf(broker), { host, port })
  })
}

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { ApiVersions, Metadata } from '@millrace/wire'
import { WireClient } from '../test/wire-client.ts'
import { startBroker } from './start-broker.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

test('without a host both loopback addresses are served, and advertised as localhost', async () => {
  await using broker = await startBroker()
  const [address] = broker.addresses
  assert.equal(address?.host, 'localhost')
  for (const host of ['127.0.0.1', '::1']) {
    await using wire = await WireClient.connect({ host, port: address.port })
    await wire.ask(ApiVersions, 3, client)
  }
})

test('each listener tells its clients its own address', async () => {
  const host = '127.0.0.1'
  await using broker = await startBroker({
    listeners: [
      { host, port: 0 },
      { host, port: 0, advertisedHost: 'kafka.example', advertisedPort: 1234 },
    ],
  })
  const [first] = broker.addresses
  assert.deepEqual(broker.addresses[1], { host: 'kafka.example', port: 1234 })
  await using wire = await WireClient.connect(first ?? { host, port: 0 })
  const { brokers } = await wire.ask(Metadata, 9, { topics: [] })
  assert.deepEqual(
    brokers.map(({ host, port }) => ({ host, port })),
    [first],
  )
})

test('an address for all of a machine is advertised as one that can be connected to', async () => {
  await using broker = await startBroker({ listeners: [{ host: '0.0.0.0', port: 0 }] })
  assert.equal(broker.addresses[0]?.host, 'localhost')
})

test('a port that is in use is named, and nothing stays open', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  assert.ok(typeof address === 'object' && address !== null)
  const { port } = address
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const freed = free.address()
  assert.ok(typeof freed === 'object' && freed !== null)
  free.close()
  await once(free, 'close')
  const host = '127.0.0.1'
  const listeners = [
    { host, port: freed.port },
    { host, port },
  ]
  await assert.rejects(startBroker({ listeners }), {
    name: 'ListenError',
    code: 'inUse',
    message: new RegExp(`port ${port} is in use \\(127\\.0\\.0\\.1:${port}\\)`),
  })
  const socket = connect(freed.port, host)
  const [error] = await once(socket, 'error')
  assert.equal(error.code, 'ECONNREFUSED')
  taken.close()
})

test('closing cuts the connections, and twice is as good as once', async () => {
  const broker = await startBroker()
  const [address] = broker.addresses
  await using wire = await WireClient.connect({ host: '127.0.0.1', port: address?.port ?? 0 })
  await wire.ask(ApiVersions, 3, client)
  await broker.close()
  await wire.closed
  await broker.close()
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { idleService, sampleSystem } from '../../test/sample-systems.ts'
import { assignAddresses } from './addresses.ts'
import { announcement } from './announcement.ts'
import { checkPortsFree } from './free-ports.ts'
import { overviewOf } from './overview.ts'

test('the offset moves every port, and parts find each other at the moved ones', () => {
  const addresses = assignAddresses([sampleSystem()], { portOffset: 100, embeddedBroker: true })
  assert.equal(addresses.startPage, 4100)
  assert.deepEqual(addresses.broker, [9192, 29192])
  assert.deepEqual(addresses.ports.get('mailbox'), { http: 7125, smtp: 7126 })
  assert.equal(addresses.addressOf('order-service'), 'http://localhost:7101')
  assert.equal(addresses.addressOf('mailbox', 'smtp'), 'localhost:7126')
  assert.deepEqual(
    addresses.places.map(({ port }) => port),
    [4100, 9192, 29192, 7101, 7125, 7126],
  )
})

test('without the embedded broker its ports are left to others', () => {
  const { broker, places } = assignAddresses([], { portOffset: 0, embeddedBroker: false })
  assert.deepEqual([broker, places], [[], [{ part: 'the start page', port: 4000 }]])
})

test('what cannot be is refused: one port or name for two parts, a port past the last', () => {
  const twice = { service: idleService('order-service'), port: 7002 }
  const onBroker = { service: idleService('pay-service'), port: 9092 }
  const cases = [
    [[sampleSystem({ services: [twice, twice] })], 0, /two parts are named "order-service"/],
    [
      [sampleSystem({ services: [onBroker] })],
      0,
      /the embedded broker and service pay-service both want port 9092/,
    ],
    [[sampleSystem()], 40_000, /port 69092, past 65535: choose a smaller --port-offset/],
  ] as const
  for (const [systems, portOffset, message] of cases) {
    const options = { portOffset, embeddedBroker: true }
    assert.throws(() => assignAddresses(systems, options), { name: 'CommandFailure', message })
  }
})

test('a part or port that no system has is a mistake that is named', () => {
  const { addressOf } = assignAddresses([sampleSystem()], { portOffset: 0, embeddedBroker: false })
  assert.throws(() => addressOf('mailbox', 'imap'), /no part "mailbox" .* has a port "imap"/)
})

test('every port in use is named with the part that wants it, and with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const taken = { part: 'service order-service', port: address.port }
  await assert.rejects(checkPortsFree([taken], 0), {
    name: 'CommandFailure',
    message:
      `port ${taken.port} (wanted by service order-service) is in use: stop what listens there, ` +
      `or move all ports with --port-offset 100 (then service order-service has ${taken.port + 100})`,
  })
  server.close()
  await once(server, 'close')
  await checkPortsFree([taken], 0)
})

const lines = { reset: 'npm run reset', useKafka: '', cli: 'npx millrace', brokersOption: '' }

test('our own commands in a hint are told where this host has its broker', () => {
  const command = 'npx millrace tail a\ncurl localhost\nnpx millrace reset'
  const systems = [sampleSystem({ tryFirst: () => [{ text: 'Look', command }] })]
  const addresses = assignAddresses(systems, { portOffset: 100, embeddedBroker: true })
  const overview = overviewOf({
    systems,
    addresses,
    kafka: { kind: 'embedded', brokers: ['localhost:9192'] },
    dataDirectory: '',
    logFile: '',
    lines: { ...lines, brokersOption: ' --brokers localhost:9192' },
  })
  assert.equal(
    overview.systems[0]?.tryFirst[0]?.command,
    'npx millrace tail a --brokers localhost:9192\ncurl localhost\nnpx millrace reset',
  )
})

test('the announcement says where everything is, what to try, and how to stop', () => {
  const systems = [sampleSystem()]
  const addresses = assignAddresses(systems, { portOffset: 0, embeddedBroker: true })
  const overview = overviewOf({
    systems,
    addresses,
    kafka: { kind: 'embedded', brokers: ['localhost:9092', 'localhost:29092'] },
    dataDirectory: '/home/.millrace',
    logFile: '/home/.millrace/logs/millrace.log',
    lines: { ...lines, brokersOption: '' },
  })
  const style = { currentDirectory: '/home', emphasise: (_: string, text: string) => text }
  assert.deepEqual(announcement(overview, style), [
    'Millrace runs.',
    '',
    '  start page     http://localhost:4000            everything below, live',
    '  Kafka          localhost:9092, localhost:29092  embedded broker',
    '  order-service  http://localhost:7001            sample',
    '  mailbox        http://localhost:7025            smtp localhost:7026',
    '',
    'Try first (sample): Order something',
    '',
    '  curl http://localhost:7001/orders',
    '',
    'Data lies in .millrace, the log in .millrace/logs/millrace.log.',
    'Stop with Ctrl-C; the next start finds everything. Start over with: npm run reset',
  ])
})

// Reads a topic to its end with a handler that does nothing, and prints how fast. Arguments: the
// subject, and how many events there are.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { service, silentLog, startService } from '@millrace/kit'
import { Consumer as BareConsumer, MessagesStreamModes } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { catalogue, envelope, topic } from './bench-catalogue.ts'
import { tellSamples } from './child-process.ts'

const [subject = '', count = '0'] = process.argv.slice(2)
const events = Number(count)
const brokers = process.env['KAFKA_BROKERS'] ?? ''
const group = `bench-${process.pid}-${Date.now()}`

/** Resolves when all were read. */
type Read = (read: () => void) => Promise<unknown>

function check(value: Uint8Array | null): void {
  envelope.parse(JSON.parse(Buffer.from(value ?? []).toString()))
}

function bare(options: { readonly maxBytes?: number; readonly maxWaitTime?: number }): Read {
  return async (read) => {
    const consumer = new BareConsumer({
      clientId: 'bench',
      groupId: group,
      bootstrapBrokers: [brokers],
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: true,
      ...options,
    })
    stream.on('data', ({ value }) => {
      check(value)
      read()
    })
  }
}

const kafkajs: Read = async (read) => {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: group })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    async eachMessage({ message }) {
      check(message.value)
      read()
    },
  })
}

const kit: Read = async (read) => {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const reader = service('reader', { catalogue, group }).on('bench.event', async () => read())
  await startService(reader, { directory, env: { KAFKA_BROKERS: brokers }, log: silentLog })
}

const subjects: Readonly<Record<string, Read>> = {
  'bare client': bare({}),
  'bare client, tuned': bare({ maxBytes: 1024 * 1024, maxWaitTime: 100 }),
  kafkajs,
  kit,
}

const start = subjects[subject]
if (start === undefined) throw new Error(`there is no subject "${subject}"`)
let left = events
let firstMs = 0
const cpu = process.cpuUsage()
const startedMs = performance.now()
await start(() => {
  if (firstMs === 0) firstMs = performance.now()
  if (--left > 0) return
  const seconds = (performance.now() - startedMs) / 1000
  // Joining a group takes each its time, and is no matter of speed.
  const joining = (firstMs - startedMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  tellSamples([
    {
      measure: 'no-op handler, with JSON and zod',
      unit: 'events/s',
      better: 'more',
      figure: events / (seconds - joining),
    },
    {
      measure: '… CPU of the process',
      unit: 'µs/event',
      better: 'less',
      figure: (user + system) / events,
    },
  ])
})

// Reads a topic to its end with a handler that does nothing, and prints how fast. Arguments: the
// subject, and how many events there are.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, service, silentLog, startService } from '@millrace/kit'
import { Consumer as BareConsumer, MessagesStreamModes } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { catalogue, envelope, topic } from './bench-catalogue.ts'
import { tellSamples } from './child-process.ts'

const [subject = '', count = '0'] = process.argv.slice(2)
const events = Number(count)
const brokers = process.env['KAFKA_BROKERS'] ?? ''
const group = `bench-${process.pid}-${Date.now()}`

/** What a subject tells: that it has its partitions, and each event that it has read. */
interface Progress {
  readonly joined: () => void
  readonly read: () => void
}

type Subject = (progress: Progress) => Promise<unknown>

function check(value: Uint8Array | null): void {
  envelope.parse(JSON.parse(Buffer.from(value ?? []).toString()))
}

function bare(options: { readonly maxBytes?: number; readonly maxWaitTime?: number }): Subject {
  return async ({ joined, read }) => {
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
    // Nothing is fetched yet: what is decoded before the first event counts.
    joined()
    stream.on('data', ({ value }) => {
      check(value)
      read()
    })
  }
}

const kafkajs: Subject = async ({ joined, read }) => {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: group })
  consumer.on(consumer.events.GROUP_JOIN, joined)
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    async eachMessage({ message }) {
      check(message.value)
      read()
    },
  })
}

const kit: Subject = async ({ joined, read }) => {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const reader = service('reader', { catalogue, group }).on('bench.event', async () => read())
  const log: Log = {
    ...silentLog,
    info: (_fields, message) => message === 'partitions are assigned' && joined(),
    child: () => log,
  }
  await startService(reader, { directory, env: { KAFKA_BROKERS: brokers }, log })
}

const subjects: Readonly<Record<string, Subject>> = {
  'bare client': bare({}),
  'bare client, tuned': bare({ maxBytes: 1024 * 1024, maxWaitTime: 100 }),
  kafkajs,
  kit,
}

const start = subjects[subject]
if (start === undefined) throw new Error(`there is no subject "${subject}"`)
let left = events
// Joining a group takes each its time, and is no matter of speed.
let joinedMs = Number.NaN
let cpuBefore = process.cpuUsage()
await start({
  joined() {
    joinedMs = performance.now()
    cpuBefore = process.cpuUsage()
  },
  read() {
    left -= 1
    if (left > 0) return
    const seconds = (performance.now() - joinedMs) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    tellSamples([
      {
        measure: 'no-op handler, with JSON and zod',
        unit: 'events/s',
        better: 'more',
        figure: events / seconds,
      },
      {
        measure: '… CPU of the process',
        unit: 'µs/event',
        better: 'less',
        figure: (user + system) / events,
      },
    ])
  },
})

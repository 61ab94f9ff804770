import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  defineCatalogue,
  event,
  flatJson,
  MemoryCluster,
  openMemory,
  service,
  silentLog,
  startService,
  systemClock,
} from '@millrace/kit'
import { sql } from 'kysely'
import { z } from 'zod'
import { until } from './work-service.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/outbox.md'), 'utf8')
const [, block = '{}'] = /^```json\n([\s\S]*?)^```$/m.exec(page) ?? []
const settings = z.record(z.string(), z.string()).parse(JSON.parse(block))
const setting = (name: string) => settings[`transforms.outbox.${name}`] ?? ''
const directory = mkdtempSync(join(tmpdir(), 'millrace-debezium-'))
after(() => rmSync(directory, { recursive: true }))

/** The flat format says nothing of correlation: only the headers do. */
const catalogue = defineCatalogue(
  'till',
  {
    'till.rang': event({
      version: '1.0',
      key: ({ till }) => till,
      fields: z.object({ till: z.string() }),
      payload: z.object({ item: z.string() }),
    }),
  },
  { format: flatJson, partitions: 1 },
)

test('what Debezium makes of an outbox row by the settings of docs/outbox.md is heard as the relay’s', async () => {
  using cluster = new MemoryCluster(systemClock)
  const heard: object[] = []
  const options = { directory, env: {}, log: silentLog }
  const shop = service('shop', { catalogue })
  const listener = service('listener', { catalogue }).on('till.rang', async (rang) => {
    heard.push(rang)
  })
  await using listening = await startService(listener, {
    ...options,
    transport: openMemory(cluster, systemClock),
  })
  const transport = openMemory(cluster, systemClock)
  await using running = await startService(shop, { ...options, transport })
  await running.transaction(
    async ({ publish }) => {
      await publish('till.rang', { till: 'till 1', payload: { item: 'pears' } })
    },
    { correlationId: 'a morning' },
  )
  await until(async () => heard.length === 1)
  const { rows } = await sql`select * from millrace_outbox`.execute(running.read)
  const row = z.record(z.string(), z.unknown()).parse(rows[0])
  const column = (name: string) => {
    assert.ok(name in row, `the outbox has no column "${name}"`)
    return row[name]
  }
  const [packed = '', placement, header = ''] = setting('table.fields.additional.placement').split(
    ':',
  )
  assert.equal(placement, 'header')
  assert.equal(column(setting('table.field.event.type')), 'till.rang')
  const topic = setting('route.topic.replacement').replace(
    /\$\{routedByValue\}/,
    String(column(setting('route.by.field'))),
  )
  const value = column(setting('table.field.event.payload'))
  assert.ok(value instanceof Uint8Array)
  const text = (name: string) => Buffer.from(String(column(name)))
  // As from another service, which the listener does not know yet.
  const copy = Buffer.from(String(text(packed)).replaceAll(/"id":"[^"]*"/g, '"id":"copy"'))
  await transport.send({ topic, partition: 0 }, [
    {
      key: text(setting('table.field.event.key')),
      value,
      headers: [
        { name: 'id', value: Buffer.from('copy') },
        { name: header, value: copy },
      ],
      timestampMs: Date.now(),
    },
  ])
  await until(async () => heard.length === 2)
  const [first, second] = heard
  assert.deepEqual(second, { ...first, eventId: 'copy', correlationId: 'a morning' })
  assert.equal(listening.ready, true)
})

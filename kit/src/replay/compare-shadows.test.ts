import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { systemClock } from '../clock.ts'
import { type AnyServiceDefinition, service } from '../service.ts'
import { openSqlite } from '../store/sqlite.ts'
import { defineTables } from '../store/table-definitions.ts'
import { compareShadows } from './compare-shadows.ts'
import type { MergedRecord } from './merged-records.ts'
import { ShadowService } from './shadow-service.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-shadow-'))
after(() => rmSync(directory, { recursive: true }))
let opened = 0

const catalogue = defineCatalogue('shop', {
  'order.placed': event({
    version: '1.0',
    payload: z.object({ order: z.string(), euros: z.number() }),
  }),
  'order.billed': event({ version: '1.0', payload: z.object({ euros: z.number() }) }),
})

interface Tables {
  bills: { order: string; euros: number }
}

const tables = defineTables<Tables>({
  '001 bills': async (db) => {
    await db.schema
      .createTable('bills')
      .addColumn('order', 'text', (column) => column.primaryKey())
      .addColumn('euros', 'real', (column) => column.notNull())
      .execute()
  },
})

interface Billing {
  readonly vat?: number
  readonly mailsFrom?: number
  readonly euroMax?: number
}

/** Bills each order, and mails those from 100 euros on, unless it is changed. */
const billing = ({ vat = 1, mailsFrom = 100, euroMax = 10_000 }: Billing = {}) =>
  service('billing', { catalogue, tables }).on(
    'order.placed',
    async ({ payload: { order, euros } }, { db, effect, publish }) => {
      if (euros > euroMax) throw new Error('too much')
      if (euros >= mailsFrom) await effect('mail', order, async () => assert.fail('it happened'))
      await db
        .insertInto('bills')
        .values({ order, euros: euros * vat })
        .execute()
      const { total } = await db
        .selectFrom('bills')
        .select(({ fn }) => fn.sum<number>('euros').as('total'))
        .executeTakeFirstOrThrow()
      await publish('order.billed', { payload: { euros: total } })
    },
  )

async function shadowOf(definition: AnyServiceDefinition) {
  const file = join(directory, `${opened++}.sqlite`)
  const { migrations, name: owner } = definition
  const store = await openSqlite({ file, owner, migrations, clock: systemClock })
  return ShadowService.open({ service: definition, store, env: {} })
}

async function* orders(...euros: readonly number[]): AsyncGenerator<MergedRecord> {
  for (const [offset, amount] of euros.entries()) {
    const value = {
      eventId: `e${offset}`,
      timestamp: '2026-01-31T12:00:00Z',
      payload: { order: `o${offset}`, euros: amount },
    }
    const record = {
      topic: 'order.placed',
      partition: 0,
      offset: BigInt(offset),
      timestampMs: 0,
      key: null,
      value: new TextEncoder().encode(JSON.stringify(value)),
      headers: [],
    }
    yield { record, topicId: 't' }
  }
}

async function compared(present: AnyServiceDefinition, changed: AnyServiceDefinition) {
  await using one = await shadowOf(present)
  await using other = await shadowOf(changed)
  return await compareShadows({ present: one, changed: other }, orders(50, 100, 200))
}

test('a service that was not changed does not differ, and nothing happens', async () => {
  assert.deepEqual(await compared(billing(), billing()), {
    events: 3,
    differing: 0,
    failing: 0,
    differences: [],
  })
})

test('what is written and said otherwise is told, how often, with the first event', async () => {
  const { differing, differences } = await compared(billing(), billing({ vat: 1.2 }))
  assert.equal(differing, 3)
  const [write] = differences.filter(({ kind }) => kind === 'write')
  assert.ok(write !== undefined)
  assert.match(write.what, /^insert into "bills"/)
  assert.equal(write.times, 3)
  assert.match(write.example.present ?? '', /with \["o0",50\]/)
  assert.match(write.example.changed ?? '', /with \["o0",60\]/)
  const [said] = differences.filter(({ kind }) => kind === 'publish')
  // Each goes on from what it wrote itself: the sum differs ever more.
  assert.ok(said !== undefined)
  assert.equal(said.times, 3)
  assert.equal(said.example.place, 'order.placed/0 at 0')
})

test('an effect that is new, or is no more, is told', async () => {
  const { differences } = await compared(billing(), billing({ mailsFrom: 150 }))
  assert.equal(differences.length, 1)
  assert.partialDeepStrictEqual(differences[0], {
    kind: 'effect',
    what: 'mail',
    times: 1,
    example: { eventId: 'e1', present: 'mail for o1', changed: null },
  })
})

test('a handler that fails now is told with its error, and history goes on', async () => {
  const { events, differences } = await compared(billing(), billing({ euroMax: 150 }))
  assert.equal(events, 3)
  assert.partialDeepStrictEqual(
    differences.map(({ kind, what, times }) => ({ kind, what, times })),
    [{ kind: 'fails', what: 'too much', times: 1 }],
  )
})

test('a handler that one of them has not is told', async () => {
  const deaf = service('billing', { catalogue, tables })
  const { differences } = await compared(billing(), deaf)
  assert.partialDeepStrictEqual(differences, [{ kind: 'no longer hears', times: 3 }])
})

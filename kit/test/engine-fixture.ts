import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defineCatalogue } from '../src/catalogue/catalogue.ts'
import { event } from '../src/catalogue/event.ts'
import type { EventHeaders } from '../src/catalogue/event-headers.ts'
import { Effects } from '../src/effect.ts'
import { silentLog } from '../src/log.ts'
import { ManualClock } from '../src/manual-clock.ts'
import { noObserver } from '../src/observe/observer.ts'
import { type HandlingOptions, openHandling } from '../src/outbox/handler-context.ts'
import { Outbox } from '../src/outbox/outbox.ts'
import { openTransactions } from '../src/outbox/transaction.ts'
import { service } from '../src/service.ts'
import { openSqlite } from '../src/store/sqlite.ts'

/** A name in lower case, checked slowly where it begins with "slow". */
const name = z.string().refine(
  async (text) => {
    if (text.startsWith('slow')) await new Promise((resolve) => setImmediate(resolve))
    return text === text.toLowerCase()
  },
  { message: 'not in lower case' },
)

const catalogue = defineCatalogue('people', {
  'person.met': event({
    version: '1.2',
    topic: 'people',
    key: ({ personId }) => personId,
    fields: z.object({ personId: z.int() }),
    payload: z.object({ name, note: z.unknown().optional() }),
  }),
  'person.left': event({ version: '1.0', topic: 'people', payload: z.object({ name }) }),
})

/** What a service's handlers and transactions work with, and what they left in the outbox. */
export async function engineFixture() {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-engine-'))
  const clock = new ManualClock()
  const definition = service('greeter', { catalogue, group: 'greeters' })
  const file = join(directory, 'greeter.sqlite')
  const store = await openSqlite({ file, owner: 'greeter', migrations: {}, clock })
  const outbox = new Outbox(1_000)
  const effects = new Effects({ store, group: definition.group, clock })
  const base = { service: definition, store, outbox, effects, clock, random: Math.random }
  const tools = { ...base, resources: {}, env: {}, log: silentLog, observer: noObserver }
  return {
    clock,
    outbox,
    store,
    transaction: openTransactions(tools),
    handling: (options: Partial<HandlingOptions> = {}) =>
      openHandling(tools, {
        event: heard,
        traceparent: null,
        attempt: 1,
        signal: new AbortController().signal,
        ...options,
      }),
    async rows() {
      const rows = await store.read
        .selectFrom('millrace_outbox')
        .selectAll()
        .orderBy('id')
        .execute()
      return rows.map(({ value, headers, ...row }) => {
        const event: Record<string, unknown> = JSON.parse(new TextDecoder().decode(value))
        const sent: EventHeaders = JSON.parse(headers)
        return { ...row, event, headers: sent }
      })
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true })
    },
  }
}

/** The event that handlers of these tests are given. */
export const heard = {
  eventId: 'event-1',
  eventType: 'person.met',
  timestamp: '2026-01-01T00:00:00.000Z',
  version: '1.2',
  source: 'doorman',
  correlationId: 'correlation-1',
  causationId: null,
  metadata: {},
  payload: { name: 'ada' },
}

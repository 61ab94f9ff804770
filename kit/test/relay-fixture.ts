import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type BodyOf, defineCatalogue } from '../src/catalogue/catalogue.ts'
import { event } from '../src/catalogue/event.ts'
import { type Instances, soleInstance } from '../src/instances/instances.ts'
import { silentLog } from '../src/log.ts'
import { ManualClock } from '../src/manual-clock.ts'
import { noObserver, type Observer } from '../src/observe/observer.ts'
import { Outbox } from '../src/outbox/outbox.ts'
import type { OutboxCarrier } from '../src/outbox/outbox-carrier.ts'
import { Publisher } from '../src/outbox/publisher.ts'
import { Relay } from '../src/outbox/relay.ts'
import { service } from '../src/service.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { ScriptedTransport } from './scripted-transport.ts'

const spoken = (topic?: string) =>
  event({
    version: '1',
    ...(topic === undefined ? {} : { topic }),
    stream: 'spoken',
    key: ({ by }) => by,
    fields: z.object({ by: z.string() }),
    payload: z.string(),
  })

export const catalogue = defineCatalogue(
  'speech',
  { said: spoken(), asked: spoken(), noise: event({ version: '1', payload: z.string() }) },
  { partitions: 2 },
)

export interface RelayFixtureOptions {
  readonly transport?: ScriptedTransport
  /** Rows of an earlier run stay in it. */
  readonly directory?: string
  readonly clock?: ManualClock
  readonly unsentMax?: number
  readonly observer?: Observer
  readonly instances?: Instances
  readonly carrier?: OutboxCarrier
}

/** A store, an outbox and a relay on a scripted Kafka; `say` publishes in a transaction. */
export async function relayFixture(options: RelayFixtureOptions = {}) {
  const { transport = new ScriptedTransport(), clock = new ManualClock() } = options
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'millrace-relay-'))
  const definition = service('speaker', { catalogue })
  const store = await openSqlite({
    file: join(directory, 'speaker.sqlite'),
    owner: 'speaker',
    migrations: {},
    clock,
  })
  const outbox = new Outbox(options.unsentMax ?? 1_000_000)
  await outbox.recount(store.read)
  const random = () => 0.5
  const { observer = noObserver } = options
  const { instances = soleInstance, carrier = 'relay' } = options
  const seams = { transport, clock, random, log: silentLog, observer, instances, carrier }
  const relay = new Relay({ service: definition, store, outbox, ...seams })
  const speech = <Name extends keyof typeof catalogue.events>(
    name: Name,
    ...bodies: readonly BodyOf<typeof catalogue, Name>[]
  ) => say({ store, outbox, clock, name, bodies })
  return {
    clock,
    directory,
    outbox,
    relay,
    say: speech,
    /** Publishes, and then rolls back. Rejects. */
    takeBack: <Name extends keyof typeof catalogue.events>(
      name: Name,
      ...bodies: readonly BodyOf<typeof catalogue, Name>[]
    ) => say({ store, outbox, clock, name, bodies, isTakenBack: true }),
    store,
    transport,
    /** As the end of the process: nothing is finished, the files stay. */
    async [Symbol.asyncDispose]() {
      await relay.stop()
      await store[Symbol.asyncDispose]()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface Speech {
  readonly store: Awaited<ReturnType<typeof openSqlite>>
  readonly outbox: Outbox
  readonly clock: ManualClock
  readonly name: string
  readonly bodies: readonly unknown[]
  readonly isTakenBack?: boolean
}

async function say(speech: Speech): Promise<void> {
  const { store, outbox, clock, name, bodies, isTakenBack = false } = speech
  const scope = store.scope({
    name: 'say',
    async closing(db) {
      await publisher.flush(db)
      if (isTakenBack) throw new Error('taken back')
    },
  })
  const publisher = new Publisher({
    catalogue,
    source: 'speaker',
    outbox,
    correlation: { correlationId: 'c', causationId: null, traceparent: null },
    clock,
    random: Math.random,
    observer: noObserver,
    open: () => scope.open(),
  })
  for (const body of bodies) await publisher.publish(name, body)
  await scope.commit()
  publisher.committed()
}

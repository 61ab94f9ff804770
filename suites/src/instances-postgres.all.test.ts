import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  type ConsumeOptions,
  defineCatalogue,
  event,
  MemoryCluster,
  openMemory,
  service,
  silentLog,
  startService,
  systemClock,
  type Transport,
} from '@millrace/kit'
import { sql } from 'kysely'
import { Client } from 'pg'
import { z } from 'zod'
import { openTestDatabase, type TestDatabase } from './servers/postgres-database.ts'
import { serverVariable } from './servers/server-variables.ts'
import { sendStep, startWorker, until, type WorkHandler, workCatalogue } from './work-service.ts'

const catalogue = defineCatalogue(
  'talk',
  {
    said: event({
      version: '1',
      key: ({ by }) => by,
      fields: z.object({ by: z.string() }),
      payload: z.string(),
    }),
  },
  { partitions: 4 },
)
const speaker = service('speaker', { catalogue })

let database: TestDatabase
before(async () => {
  database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
})
after(() => database[Symbol.asyncDispose]())

/** One instance of the service that says things; all of a test share one Kafka in memory. */
async function startSpeaker(cluster: MemoryCluster) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-instance-'))
  const running = await startService(speaker, {
    directory,
    transport: openMemory(cluster, systemClock),
    env: { DATABASE_URL: database.url },
    log: silentLog,
  })
  return {
    running,
    say: (by: string, payload: string) =>
      running.transaction(async ({ publish }) => {
        await publish('said', { by, payload })
      }),
    async [Symbol.asyncDispose]() {
      await running.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** What lies on the topic, each partition in its order. */
async function saidOn(transport: Transport): Promise<readonly { by: string; payload: string }[]> {
  const found: { by: string; payload: string }[] = []
  for (let partition = 0; partition < 4; partition += 1) {
    for (let offset = 0n; ; ) {
      const records = await transport.readFrom({ topic: 'said', partition }, offset, 1_000)
      for (const { value } of records) found.push(JSON.parse(String(value)))
      const last = records.at(-1)
      if (last === undefined) break
      offset = last.offset + 1n
    }
  }
  return found
}

async function withClient<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: database.url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Queries of this database that wait for a lock of this kind. */
async function waitingFor(client: Client, locktype: string): Promise<number> {
  const { rowCount } = await client.query(
    `select from pg_locks join pg_stat_activity using (pid)
     where not granted and locktype = $1 and datname = current_database()`,
    [locktype],
  )
  return rowCount ?? 0
}

test('two writers that take their transaction ids in one order and commit in the other keep the order of their commits', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using it = await startSpeaker(cluster)
  await using reader = openMemory(cluster, systemClock)
  await until(async () => (await it.running.health()).kafka.kind === 'met')
  const first = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const slow = it.running.transaction(async ({ db, publish }) => {
    await publish('said', { by: 'twins', payload: 'began first' })
    await sql`select pg_current_xact_id()`.execute(db)
    begun.resolve()
    await first.promise
  })
  await begun.promise
  await it.say('twins', 'committed first')
  first.resolve()
  await slow
  await until(async () => (await saidOn(reader)).length === 2)
  const payloads = (await saidOn(reader)).map(({ payload }) => payload)
  assert.deepEqual(payloads, ['committed first', 'began first'])
})

test('who says something of a key waits for who said something of it before, and for no other', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using it = await startSpeaker(cluster)
  await using reader = openMemory(cluster, systemClock)
  await withClient((one) =>
    withClient(async (two) => {
      await one.query('begin')
      await two.query('begin')
      await it.running.publishInto(one, 'said', { by: 'lock', payload: 'first' })
      const second = it.running.publishInto(two, 'said', { by: 'lock', payload: 'second' })
      await withClient((watch) => until(async () => (await waitingFor(watch, 'advisory')) === 1))
      await it.say('free', 'meanwhile')
      await one.query('commit')
      await second
      await two.query('commit')
    }),
  )
  await until(async () => (await saidOn(reader)).length === 3)
  const locked = (await saidOn(reader)).filter(({ by }) => by === 'lock')
  assert.deepEqual(
    locked.map(({ payload }) => payload),
    ['first', 'second'],
  )
})

test('a transaction of somebody else that stays open holds nothing up', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using it = await startSpeaker(cluster)
  await using reader = openMemory(cluster, systemClock)
  await withClient(async (client) => {
    await client.query('create table elsewhere (id int)')
    await client.query('begin; insert into elsewhere values (1)')
    await it.say('ada', 'past it')
    await until(async () => (await saidOn(reader)).length === 1)
    await client.query('rollback')
  })
})

test('writers on three instances, with pauses and rollbacks, lose nothing and keep every order', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using reader = openMemory(cluster, systemClock)
  await using stack = new AsyncDisposableStack()
  const instances = await Promise.all([1, 2, 3].map(() => startSpeaker(cluster)))
  for (const instance of instances) stack.use(instance)
  /** By key, what was committed: when its writer was still at work, and when it was told. */
  const commits = new Map<string, { payload: string; workingAt: number; committedAt: number }[]>()
  let now = 0
  const write = async (writer: number) => {
    for (let turn = 0; turn < 40; turn += 1) {
      const by = `key ${(writer * 7 + turn * 3) % 20}`
      const payload = `${writer}/${turn}`
      let workingAt = 0
      const isTakenBack = (writer + turn) % 19 === 0
      const said = instances[writer % 3]?.running.transaction(async ({ publish }) => {
        await publish('said', { by, payload })
        const pauseMs = (writer * turn) % 5
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
        workingAt = now++
        if (isTakenBack) throw new Error('taken back')
      })
      await said?.catch(() => {})
      if (isTakenBack) continue
      commits.set(by, [...(commits.get(by) ?? []), { payload, workingAt, committedAt: now++ }])
    }
  }
  await Promise.all(Array.from({ length: 10 }, (_, writer) => write(writer)))
  const total = [...commits.values()].flat().length
  await until(async () => (await saidOn(reader)).length >= total)
  const said = await saidOn(reader)
  assert.equal(said.length, total)
  for (const [key, ofKey] of commits) {
    const order = said.filter(({ by }) => by === key).map(({ payload }) => payload)
    assert.deepEqual(order.toSorted(), ofKey.map(({ payload }) => payload).toSorted())
    for (const one of ofKey) {
      for (const other of ofKey.filter(({ workingAt }) => workingAt > one.committedAt)) {
        assert.ok(
          order.indexOf(one.payload) < order.indexOf(other.payload),
          `${key}: ${one.payload} had committed before ${other.payload} was written`,
        )
      }
    }
  }
})

test('when the connection that holds an instance’s slots is cut, all goes on, in order', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using reader = openMemory(cluster, systemClock)
  await using one = await startSpeaker(cluster)
  await using other = await startSpeaker(cluster)
  const write = async () => {
    for (let number = 0; number < 200; number += 1) {
      await one.say(`key ${number % 10}`, String(number))
      if (number % 50 === 25) {
        await withClient((client) =>
          client.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'speaker slots' and datname = current_database()
             order by backend_start limit $1`,
            [number === 25 ? 1 : 2],
          ),
        )
      }
    }
  }
  await write()
  await until(async () => (await other.running.health()).outbox.unsent === 0)
  const said = await saidOn(reader)
  for (let key = 0; key < 10; key += 1) {
    const order = said.flatMap(({ by, payload }) => (by === `key ${key}` ? [Number(payload)] : []))
    const firsts = [...new Set(order)]
    const expected = Array.from({ length: 20 }, (_, turn) => turn * 10 + key)
    assert.deepEqual(firsts, expected)
  }
})

/** As a process that stood still while its group moved on: it is told of nothing. */
function deaf(transport: Transport): Transport {
  return {
    cluster: () => transport.cluster(),
    ensureTopics: (topics) => transport.ensureTopics(topics),
    send: (place, records) => transport.send(place, records),
    lag: (group, topics) => transport.lag(group, topics),
    offsetsAt: (...asked) => transport.offsetsAt(...asked),
    readFrom: (place, offset, recordsMax) => transport.readFrom(place, offset, recordsMax),
    consume(options: ConsumeOptions) {
      const { listener } = options
      return transport.consume({
        ...options,
        listener: {
          assigned: (partitions) => listener.assigned(partitions),
          records: (place, records) => listener.records(place, records),
          revoked: async () => {},
          lost: () => {},
          troubled: () => {},
          failed: () => {},
        },
      })
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

test('a handler that finishes after its partition has moved commits nothing', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using other = openMemory(cluster, systemClock)
  const work = workCatalogue('fence')
  await other.ensureTopics(work.catalogue.topics)
  const gates = { zombie: Promise.withResolvers<void>(), owner: Promise.withResolvers<void>() }
  const begun = { zombie: 0, owner: 0 }
  const settled: string[] = []
  const handlerOf =
    (name: 'zombie' | 'owner'): WorkHandler =>
    async ({ eventId, taskId }, { db }) => {
      begun[name] += 1
      await gates[name].promise
      try {
        await db.insertInto('done').values({ event: eventId, task: taskId, step: name }).execute()
      } finally {
        settled.push(name)
      }
    }
  const shared = { work, group: 'fenced', storeOf: async () => ({ DATABASE_URL: database.url }) }
  await using zombie = await startWorker({
    ...shared,
    transport: deaf(openMemory(cluster, systemClock)),
    handle: handlerOf('zombie'),
  })
  const send = (task: string) =>
    sendStep(other, work, { name: 'task.updated', task, step: '1', id: `event of ${task}` })
  await send('a')
  await send('bb')
  await until(async () => begun.zombie === 2)
  // The group gives one partition of each topic to the other instance.
  await using owner = await startWorker({
    ...shared,
    transport: openMemory(cluster, systemClock),
    handle: handlerOf('owner'),
  })
  await until(async () => begun.owner > 0)
  gates.zombie.resolve()
  await until(async () => settled.length === 2)
  gates.owner.resolve()
  await owner.untilDone(2)
  await until(async () => settled.filter((name) => name === 'owner').length === begun.owner)
  const rows = await zombie.running.read.selectFrom('done').select(['event', 'step']).execute()
  const byEvent = Map.groupBy(rows, ({ event: id }) => id)
  assert.deepEqual(
    [...byEvent.values()].map(({ length }) => length),
    [1, 1],
  )
  // What the owner had begun meanwhile is its own.
  assert.equal(rows.filter(({ step }) => step === 'owner').length, begun.owner)
})

test('a key that one instance redrives is kept in order by the instance that hears its events', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using other = openMemory(cluster, systemClock)
  const work = workCatalogue('letters')
  await other.ensureTopics(work.catalogue.topics)
  const gate = Promise.withResolvers<void>()
  let isMended = false
  let redriven = 0
  const handle: WorkHandler = async ({ eventId, taskId, payload }, { db }) => {
    if (payload.step === '1') {
      if (!isMended) throw new Error('not yet')
      redriven += 1
      await gate.promise
    }
    await db
      .insertInto('done')
      .values({ event: eventId, task: taskId, step: payload.step })
      .execute()
  }
  await using ownDatabase = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
  const start = () =>
    startWorker({
      work,
      group: 'letters',
      storeOf: async () => ({ DATABASE_URL: ownDatabase.url }),
      transport: openMemory(cluster, systemClock),
      handlerOptions: { retry: { attemptsMax: 1 } },
      handle,
    })
  await using one = await start()
  await using two = await start()
  const tasks = ['a', 'bb', 'c', 'dd']
  const send = async (step: string) => {
    for (const task of tasks) {
      await sendStep(other, work, { name: 'task.updated', task, step, id: `${task}${step}` })
    }
  }
  const letters = async () => (await one.running.deadLetters.list()).length
  await send('1')
  await send('2')
  await until(async () => (await letters()) === 2 * tasks.length)
  isMended = true
  // Each asks for half of them: slots and partitions are dealt out otherwise.
  await one.running.deadLetters.redrive({ key: 'a' })
  await one.running.deadLetters.redrive({ key: 'bb' })
  await two.running.deadLetters.redrive({ key: 'c' })
  await two.running.deadLetters.redrive({ key: 'dd' })
  await until(async () => redriven === tasks.length)
  await send('3')
  // Each stands behind its key's letters: in the store, or where the letter runs here, in memory.
  await until(async () => {
    const healths = await Promise.all([one.running.health(), two.running.health()])
    const waiting = healths.reduce((sum, { consumer }) => sum + (consumer?.events ?? 0), 0)
    return (await letters()) + waiting >= 3 * tasks.length
  })
  gate.resolve()
  const done = await one.untilDone(3 * tasks.length)
  for (const task of tasks) {
    const steps = done.filter((line) => line.startsWith(`${task} `))
    assert.deepEqual(steps, [`${task} 1`, `${task} 2`, `${task} 3`])
  }
  await until(async () => (await letters()) === 0)
})

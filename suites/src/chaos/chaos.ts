// Three instances of a service on one PostgreSQL, killed and started again at random under load,
// the broker now and then, too; in the end every event was heard once and in order.
import { deepEqual, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KafkaInspector, readKafkaConfig } from '@millrace/kit'
import { Client } from 'pg'
import { Child } from '../killing/child.ts'
import { drawBetween, seededRandom } from '../killing/seeded-random.ts'
import { freePorts } from '../servers/free-ports.ts'
import { openTestDatabase } from '../servers/postgres-database.ts'

export interface ChaosOptions {
  /** Of a PostgreSQL on which databases may be made. */
  readonly postgresUrl: string
  readonly events: number
  readonly seed: number
  readonly say: (line: string) => void
}

const instances = 3
const accounts = 200

/** Between two kills. */
const killEveryMs = { min: 1_500, max: 4_000 }

/** One kill in so many is the broker's. */
const brokerEvery = 5

/** After the last kill everything that waits is heard within this time. */
const settledMsMax = 180_000

/** Rejects with what is wrong; says what it did. */
export async function chaos({ postgresUrl, events, seed, say }: ChaosOptions): Promise<void> {
  const random = seededRandom(seed)
  await using stage = await openStage(postgresUrl, events)
  const { broker, services, database, bell } = stage
  const startedMs = Date.now()
  let toldMs = startedMs
  while (
    (await count(database, 'select coalesce(sum(said), 0) as n from ledger.accounts')) < events
  ) {
    await pause(drawBetween(random, killEveryMs.min, killEveryMs.max))
    const isBroker = drawBetween(random, 0, brokerEvery) === 0
    const victim = isBroker ? broker : services[drawBetween(random, 0, services.length)]
    await victim?.kill()
    await pause(drawBetween(random, 0, 500))
    await victim?.start()
    if (Date.now() - toldMs > 10_000) {
      toldMs = Date.now()
      say(await progressOf(stage, events))
    }
  }
  const saidMs = Date.now() - startedMs
  await settled(stage, say)
  const kills = services.reduce((sum, service) => sum + service.kills, 0)
  deepEqual(await problemsIn(database), [])
  const { rung, again } = bell
  const wanted = await count(
    database,
    `select count(*) as n from ledger.heard where topic = 'entered' and number % 5 = 0`,
  )
  ok(rung >= wanted, `${wanted} effects were due, and ${rung} happened`)
  ok(again <= kills * windowMax, `${again} effects happened again after ${kills} kills`)
  const total = await count(database, 'select count(*) as n from ledger.heard')
  say(
    `${total} events heard once and in order, ${rung} effects, ${again} of them again; ` +
      `${kills} kills of instances, ${broker.kills} of the broker; ` +
      `said in ${saidMs} ms, all heard after ${Date.now() - startedMs} ms (seed ${seed})`,
  )
}

/** Handlers of one instance that may have been between an effect and its record. */
const windowMax = 100

interface Bell {
  /** Different effects, and those that came once more. */
  readonly rung: number
  readonly again: number
}

interface Stage extends AsyncDisposable {
  readonly broker: Child
  readonly services: readonly Child[]
  readonly database: Client
  readonly bell: Bell
}

async function openStage(postgresUrl: string, events: number): Promise<Stage> {
  await using opening = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  opening.defer(() => rmSync(directory, { recursive: true, force: true }))
  const { url } = opening.use(await openTestDatabase(postgresUrl))
  const database = new Client({ connectionString: url })
  await database.connect()
  opening.defer(() => database.end())
  const bell = opening.use(await openBell())
  const [kafkaPort = 0] = await freePorts(1)
  const settings = readKafkaConfig({ KAFKA_BROKERS: `127.0.0.1:${kafkaPort}` })
  const kafka = opening.use(new KafkaInspector(settings))
  const broker = opening.use(
    new Child({
      name: 'the broker',
      script: fileURLToPath(import.meta.resolve('@millrace/broker/serve')),
      args: ['--data', join(directory, 'broker'), '--port', String(kafkaPort)],
      env: {},
      isReady: async () => {
        const answer = kafka.cluster().then(
          () => true,
          () => false,
        )
        return answer
      },
    }),
  )
  await broker.start()
  const services = Array.from({ length: instances }, (_, index) => {
    let isStarted = false
    return opening.use(
      new Child({
        name: `instance ${index + 1}`,
        script: fileURLToPath(import.meta.resolve('./instance.ts')),
        args: [String(events), String(accounts)],
        env: {
          DATABASE_URL: url,
          KAFKA_BROKERS: settings.brokers.join(),
          BELL_URL: bell.url,
          KAFKA_LOG_LEVEL: 'error',
        },
        // The first makes the tables; what a later start waits for, no kill need wait for.
        isReady: async () => {
          isStarted ||= await hasTables(database)
          return isStarted
        },
      }),
    )
  })
  for (const service of services) await service.start()
  const held = opening.move()
  return { broker, services, database, bell, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

/** Counts effects, each under its key. */
async function openBell(): Promise<Bell & { readonly url: string } & AsyncDisposable> {
  const keys = new Set<string>()
  let again = 0
  const server = createServer((request, response) => {
    const key = request.url ?? ''
    if (keys.has(key)) again += 1
    keys.add(key)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    get rung() {
      return keys.size
    },
    get again() {
      return again
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function hasTables(database: Client): Promise<boolean> {
  const { rows } = await database.query(`select to_regclass('ledger.heard') is not null as there`)
  return rows[0]?.there === true
}

async function count(database: Client, query: string): Promise<number> {
  const { rows } = await database.query(query)
  return Number(rows[0]?.n)
}

async function progressOf({ database, services, broker }: Stage, events: number): Promise<string> {
  const said = await count(database, 'select coalesce(sum(said), 0) as n from ledger.accounts')
  const heard = await count(database, 'select count(*) as n from ledger.heard')
  const kills = services.reduce((sum, service) => sum + service.kills, broker.kills)
  return `${said} of ${events} said, ${heard} of ${2 * events} heard, ${kills} kills`
}

/** Waits until as much is heard as was said, twice; says what is missing if it takes too long. */
async function settled(stage: Stage, say: (line: string) => void): Promise<void> {
  const { database } = stage
  const deadlineMs = Date.now() + settledMsMax
  for (;;) {
    const said = await count(database, 'select sum(said) as n from ledger.accounts')
    const heard = await count(database, 'select count(*) as n from ledger.heard')
    if (heard >= 2 * said) return
    if (Date.now() > deadlineMs) {
      const letters = await database.query(
        'select state, reason, count(*) as n from ledger.millrace_dead_letters group by 1, 2',
      )
      say(`only ${heard} of ${2 * said} were heard; put aside: ${JSON.stringify(letters.rows)}`)
      return
    }
    await pause(500)
  }
}

/** For each account and topic: the numbers 1 to n, each once, in this order. */
async function problemsIn(database: Client): Promise<readonly string[]> {
  const { rows } = await database.query(`
    select topic, account, said, count(*) as heard, count(distinct number) as different,
      bool_and(number = place) as ordered
    from (
      select accounts.account, accounts.said, topics.topic, heard.number,
        row_number() over (partition by topics.topic, accounts.account order by heard.id) as place
      from ledger.accounts
      cross join (values ('entered'), ('noted')) as topics (topic)
      left join ledger.heard using (account, topic)
    ) as numbered
    group by topic, account, said
    having count(number) <> said or count(distinct number) <> said
      or not bool_and(number = place)
    order by topic, account limit 20`)
  return rows.map(
    ({ topic, account, said, heard, different, ordered }) =>
      `${topic} of account ${account}: ${said} said, ${heard} heard, ${different} different, ` +
      (ordered === true ? 'in order' : 'out of order'),
  )
}

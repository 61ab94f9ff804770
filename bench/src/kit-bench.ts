// `npm run bench -- kit`: the kit beside what one would write by hand, in turns: each round goes
// through all subjects before the next begins. What is measured is in ../README.md.
import { parseArgs } from 'node:util'
import { openTestDatabase, startPostgres } from '@millrace/suites/servers'
import { firstAcknowledgement } from './first-acknowledgement.ts'
import { samplesOf } from './kit/child-process.ts'
import { fillTopic, zipf } from './kit/fill-topic.ts'
import { Samples } from './samples.ts'
import { embedded } from './subject.ts'
import { tableOf } from './table.ts'

interface Size {
  readonly rounds: number
  readonly consumed: number
  readonly handled: number
  readonly keyed: number
  readonly relaySeconds: number
  readonly backlog: number
}

const sizes: Record<'quick' | 'whole', Size> = {
  quick: {
    rounds: 1,
    consumed: 100_000,
    handled: 5_000,
    keyed: 20_000,
    relaySeconds: 3,
    backlog: 3_000,
  },
  whole: {
    rounds: 3,
    consumed: 400_000,
    handled: 30_000,
    keyed: 20_000,
    relaySeconds: 8,
    backlog: 20_000,
  },
}

/** Prints the tables of all comparisons. */
export async function benchKit(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  })
  const size = values.quick ? sizes.quick : sizes.whole
  const rounds = Number(values.rounds ?? size.rounds)
  await using postgres = await startPostgres()
  console.log(`Node ${process.versions.node}; medians of ${rounds} rounds (least–most)`)
  const show = (table: string): void => console.log(`\n${table}`)
  show(await consume(size, rounds))
  show(await inbox(size, rounds, postgres.url))
  show(await keyed(size, rounds))
  show(await relay(size, rounds, postgres.url))
}

async function consume(size: Size, rounds: number): Promise<string> {
  const events = size.consumed
  await using broker = await filledBroker({ events, partitions: 4, accountOf: (n) => n % 1000 })
  const names = ['bare client', 'bare client, tuned', 'kafkajs', 'kit']
  const samples = new Samples()
  for (const [name, round] of turns(names, rounds)) {
    say(`reading, round ${round} of ${rounds}: ${name}`)
    const { env } = broker
    samples.add(
      name,
      await samplesOf({ script: 'consume-child.ts', args: [name, String(events)], env }),
    )
  }
  return tableOf(samples, names)
}

async function inbox(size: Size, rounds: number, postgresUrl: string): Promise<string> {
  const events = size.handled
  await using broker = await filledBroker({ events, partitions: 4, accountOf: (n) => n % 10_000 })
  const names = ['by hand', 'kit']
  const samples = new Samples()
  for (const [name, round] of turns(names, rounds)) {
    say(`inbox, round ${round} of ${rounds}: ${name}`)
    const run = { script: 'inbox-child.ts', args: [name, String(events)] }
    samples.add(name, await samplesOf({ ...run, env: broker.env }))
    await using database = await openTestDatabase(postgresUrl)
    const env = { ...broker.env, DATABASE_URL: database.url }
    samples.add(name, await samplesOf({ ...run, env }))
  }
  return tableOf(samples, names)
}

async function keyed(size: Size, rounds: number): Promise<string> {
  const samples = new Samples()
  const ideal = 'ideal schedule'
  for (const keys of ['uniform', 'zipf']) {
    const accountOf = keys === 'zipf' ? zipf(1000) : (n: number) => n % 1000
    await using broker = await filledBroker({ events: size.keyed, partitions: 1, accountOf })
    for (let round = 1; round <= rounds; round++) {
      say(`keyed handlers, ${keys}, round ${round} of ${rounds}`)
      const args = [String(size.keyed), keys]
      const found = await samplesOf({ script: 'keyed-child.ts', args, env: broker.env })
      samples.add('kit', found)
      samples.add(
        ideal,
        found.map((sample) => ({ ...sample, figure: 1 })),
      )
    }
  }
  return tableOf(samples, [ideal, 'kit'])
}

async function relay(size: Size, rounds: number, postgresUrl: string): Promise<string> {
  const samples = new Samples()
  const poller = 'poller, 100 ms'
  const names = [poller, 'kit']
  for (const [name, round] of turns(names, rounds)) {
    say(`relay, round ${round} of ${rounds}: ${name}`)
    const subject = name === poller ? '100' : 'kit'
    const args = [subject, String(size.relaySeconds), String(size.backlog)]
    for (const isPostgres of [false, true]) {
      await using broker = await filledBroker({ events: 1, partitions: 4, accountOf: () => 0 })
      await using database = await openTestDatabase(postgresUrl)
      const env = { ...broker.env, ...(isPostgres ? { DATABASE_URL: database.url } : {}) }
      samples.add(name, await samplesOf({ script: 'relay-child.ts', args, env }))
    }
  }
  return tableOf(samples, names)
}

function* turns(names: readonly string[], rounds: number): Generator<readonly [string, number]> {
  for (let round = 1; round <= rounds; round++) for (const name of names) yield [name, round]
}

type Filling = Omit<Parameters<typeof fillTopic>[0], 'brokers'>

/** An embedded broker of its own, with a topic of events. */
async function filledBroker(filling: Filling) {
  await using starting = new AsyncDisposableStack()
  const { port } = starting.use(await embedded('os').start())
  await firstAcknowledgement(port)
  const brokers = `127.0.0.1:${port}`
  await fillTopic({ ...filling, brokers })
  const held = starting.move()
  return {
    env: { KAFKA_BROKERS: brokers },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function say(what: string): void {
  console.error(what)
}

// `npm run bench -- broker`: the embedded broker beside Apache Kafka, in one run, in turns. What is measured
// and what is not, and the flags of both sides, are in ../README.md. `--quick` is a short run, to
// see that it works; `--rounds 3` says how often each server has its turn.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { coldStart } from './cold-start.ts'
import { firstAcknowledgement } from './first-acknowledgement.ts'
import { floodProduce } from './flood-produce.ts'
import { type LoadSize, load } from './load.ts'
import { loadedMemory } from './loaded-memory.ts'
import { Samples } from './samples.ts'
import { apacheKafka, embedded, type RunningSubject } from './subject.ts'
import { tableOf } from './table.ts'
import { makeTopic } from './topics.ts'

const gigabyte = 1024 ** 3

/** Kafka needs gigabytes to reach its speed: Java compiles what runs often, while it runs. */
const sizes: Record<'quick' | 'whole', LoadSize & { rounds: number; warmUpBytes: number }> = {
  quick: {
    rounds: 1,
    warmUpBytes: 1 * gigabyte,
    floodBytes: gigabyte / 2,
    records: 200_000,
    warmUpRecords: 50_000,
  },
  whole: {
    rounds: 5,
    warmUpBytes: 6 * gigabyte,
    floodBytes: 2 * gigabyte,
    records: 1_500_000,
    warmUpRecords: 500_000,
  },
}

/** Prints the table of all measures. */
export async function benchBroker(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  })
  const size = values.quick ? sizes.quick : sizes.whole
  const rounds = Number(values.rounds ?? size.rounds)
  const subjects = [apacheKafka, embedded('ack'), embedded('os')]
  const names = subjects.map(({ name }) => name)
  const samples = new Samples()

  for (const subject of subjects) {
    say(`first start, not counted: ${subject.name}`)
    await coldStart(subject)
  }
  for (let round = 1; round <= rounds; round++) {
    for (const subject of subjects) {
      say(`cold start, round ${round} of ${rounds}: ${subject.name}`)
      samples.add(subject.name, await coldStart(subject))
    }
  }

  await using running = new AsyncDisposableStack()
  const servers: { readonly name: string; readonly server: RunningSubject }[] = []
  for (const subject of subjects) {
    say(`warming up with ${size.warmUpBytes / gigabyte} GB: ${subject.name}`)
    const server = running.use(await subject.start())
    await firstAcknowledgement(server.port)
    await using topic = await makeTopic(server.port, 6)
    await floodProduce(server.port, topic, size.warmUpBytes)
    servers.push({ name: subject.name, server })
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { name, server } of servers) {
      say(`load, round ${round} of ${rounds}: ${name}`)
      samples.add(name, await load(server, size))
    }
  }
  for (const { name, server } of servers) samples.add(name, loadedMemory(server))

  console.log(`${process.platform}, ${cpus().length} × ${cpus()[0]?.model.trim()}`)
  console.log(`Node ${process.versions.node}; medians of ${rounds} rounds (least–most)`)
  console.log('ratio: how many times better than Apache Kafka, whether more or less is better\n')
  console.log(tableOf(samples, names))
}

function say(what: string): void {
  console.error(what)
}

import type { IncomingRecord, Random } from '@millrace/kit'
import { partitionKey } from '@millrace/kit/inside'
import type { Agenda } from './agenda.ts'
import { chanceOf, drawBelow, seedFor } from './chance.ts'
import type { DatabaseWriter } from './database-writer.ts'
import type { Instance } from './instance.ts'
import { troubleMsMax } from './limits.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'

/** What can go wrong beside the operations themselves. */
export type FaultName =
  | 'crash'
  | 'stop'
  | 'pause'
  | 'rebalance'
  | 'forget-commits'
  | 'duplicate'
  | 'kafka-away'
  | 'kafka-wiped'
  | 'disk-full'
  | 'dependency-down'
  | 'redrive'

export interface FaultsOptions {
  readonly seed: number
  readonly agenda: Agenda
  readonly cluster: SimulatedCluster
  readonly instances: readonly Instance[]
  readonly writers: ReadonlyMap<string, DatabaseWriter>
  /** Dependencies that are down. */
  readonly down: Set<string>
  readonly dependencies: () => Iterable<string>
  /** Which faults may happen. */
  readonly wanted: ReadonlySet<FaultName>
  /** The cluster is empty from now on. */
  readonly wiped: () => void
}

/** Knows which faults could happen now, and lets one happen; each heals by itself. */
export class Faults {
  readonly #options: FaultsOptions
  #count = 0
  #hasWiped = false

  constructor(options: FaultsOptions) {
    this.#options = options
  }

  /** Each as its kind and whom it meets: `crash shop#1`. */
  possible(): readonly string[] {
    const { wanted } = this.#options
    return [...this.#ofInstances(), ...this.#ofKafka(), ...this.#ofNeighbours()].filter((fault) => {
      const [kind] = fault.split(' ')
      return [...wanted].some((name) => name === kind)
    })
  }

  happen(fault: string): void {
    this.#count += 1
    const { cluster, agenda, writers, down } = this.#options
    const random = chanceOf(seedFor(this.#options.seed, `fault ${this.#count}`))
    const forMs = drawBelow(random, troubleMsMax)
    const heal = (what: string, fire: () => void): void => {
      agenda.after(null, forMs, { what, fire })
    }
    const [kind = '', whom = ''] = fault.split(' ')
    const instance = this.#options.instances.find(({ name }) => name === whom)
    switch (kind) {
      case 'crash':
        instance?.crash()
        return
      case 'stop':
        instance?.stop()
        return
      case 'pause': {
        const life = instance?.life ?? null
        instance?.pause()
        if (life !== null) heal(`${life.name} goes on`, () => instance?.resume(life))
        return
      }
      case 'rebalance':
        cluster.group(whom).rebalance()
        return
      case 'forget-commits':
        cluster.group(whom).forgetCommits(random)
        return
      case 'duplicate':
        this.#duplicate(random)
        return
      case 'kafka-away':
        cluster.leave()
        heal('Kafka is back', () => cluster.comeBack())
        return
      case 'kafka-wiped':
        this.#hasWiped = true
        cluster.leave()
        cluster.wipe()
        this.#options.wiped()
        heal('Kafka is back, and empty', () => cluster.comeBack())
        return
      case 'disk-full': {
        const writer = writers.get(whom)
        if (writer === undefined) return
        writer.isFull = true
        heal(`the disk of ${whom} has room again`, () => {
          writer.isFull = false
        })
        return
      }
      case 'dependency-down':
        down.add(whom)
        heal(`${whom} is up again`, () => down.delete(whom))
        return
      case 'redrive':
        instance?.running?.deadLetters.redrive({}).catch(() => {})
        return
      default:
    }
  }

  #ofInstances(): readonly string[] {
    const { instances, writers } = this.#options
    return instances.flatMap(({ name, life, running }) => {
      if (life === null) return []
      const [serviceName = ''] = name.split('#')
      const isWriting = writers.get(serviceName)?.isHeldBy(life) === true
      const ofRunning = running === null ? [] : [`stop ${name}`, `redrive ${name}`]
      // A database ends the transaction of a client that has fallen silent; this one has none.
      const ofAlive = life.isAlive && !isWriting ? [`pause ${name}`] : []
      return [`crash ${name}`, ...ofRunning, ...ofAlive]
    })
  }

  #ofKafka(): readonly string[] {
    const { cluster } = this.#options
    if (cluster.isAway) return []
    const groups = [...cluster.groups].filter(([, { size }]) => size > 0).map(([name]) => name)
    const ofGroups = groups.flatMap((name) => [`rebalance ${name}`, `forget-commits ${name}`])
    const ofLogs = this.#records().length > 0 ? ['duplicate record'] : []
    const wipe = this.#hasWiped ? [] : ['kafka-wiped cluster']
    return [...ofGroups, ...ofLogs, 'kafka-away cluster', ...wipe]
  }

  #ofNeighbours(): readonly string[] {
    const { writers, down, dependencies } = this.#options
    const roomy = [...writers].filter(([, { isFull }]) => !isFull).map(([name]) => name)
    const up = [...dependencies()].filter((name) => !down.has(name))
    return [
      ...roomy.map((name) => `disk-full ${name}`),
      ...up.map((name) => `dependency-down ${name}`),
    ]
  }

  /** A producer that is not idempotent repeats a record, anywhere behind itself. */
  #duplicate(random: Random): void {
    const records = this.#records()
    const record = records[drawBelow(random, records.length)]
    if (record !== undefined) this.#options.cluster.append(record, [record])
  }

  #records(): readonly IncomingRecord[] {
    const { cluster } = this.#options
    return cluster
      .all()
      .filter((at) => !partitionKey(at).startsWith('millrace.'))
      .flatMap((at) => cluster.read(at, 0n, 100))
  }
}

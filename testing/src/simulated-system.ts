import type { AnyServiceDefinition, TopicPartition } from '@millrace/kit'
import { Agenda } from './agenda.ts'
import { chanceOf, drawBelow, drawOne, seedFor } from './chance.ts'
import { DatabaseWriter } from './database-writer.ts'
import { EffectLedger } from './effect-ledger.ts'
import { type FaultName, Faults } from './faults.ts'
import { HeardLedger } from './heard-ledger.ts'
import { Instance } from './instance.ts'
import type { Life } from './life.ts'
import { startMs } from './limits.ts'
import { openWorld } from './open-world.ts'
import { SaidLedger } from './said-ledger.ts'
import type { MakeScenario, Scenario, SimulatedService } from './scenario.ts'
import { ServiceState } from './service-state.ts'
import { SimulatedCluster } from './simulated-cluster.ts'
import { SlotTable } from './simulated-instances.ts'
import type { Templates } from './templates.ts'
import { Verdict } from './verdict.ts'

export interface SystemOptions {
  readonly seed: number
  readonly make: MakeScenario
  readonly templates: Templates
  readonly faults: ReadonlySet<FaultName>
  readonly note: (life: Life, what: string) => void
}

/** All that takes part in one schedule, made from nothing but its seed. */
export class SimulatedSystem implements Disposable {
  readonly agenda = new Agenda(startMs)
  readonly verdict = new Verdict()
  readonly scenario: Scenario
  readonly cluster: SimulatedCluster
  readonly instances: Instance[] = []
  readonly said: SaidLedger
  readonly heard: HeardLedger
  readonly states = new Map<string, ServiceState>()
  readonly faults: Faults
  readonly #options: SystemOptions
  readonly #writers = new Map<string, DatabaseWriter>()
  readonly #effects = new EffectLedger(this.verdict)
  readonly #sources = new Set<string>()

  static async open(options: SystemOptions): Promise<SimulatedSystem> {
    const system = new SimulatedSystem(options)
    for (const service of system.scenario.services) await system.#add(service)
    for (const instance of system.instances) instance.start()
    return system
  }

  private constructor(options: SystemOptions) {
    this.#options = options
    const { seed, make, faults: wanted } = options
    const { agenda, verdict, instances } = this
    const down = new Set<string>()
    const dependencies = new Set<string>()
    this.said = new SaidLedger(verdict, this.#sources)
    this.heard = new HeardLedger(verdict, this.said)
    this.cluster = new SimulatedCluster({
      agenda,
      random: chanceOf(seedFor(seed, 'groups')),
      appended: (record) => {
        this.heard.appended(record)
        this.said.appended(record)
      },
    })
    const { cluster, states } = this
    const picks = chanceOf(seedFor(seed, 'requests'))
    const contextOf = (serviceName: string) => {
      const up = instances.flatMap(({ name, context }) =>
        context !== null && name.startsWith(`${serviceName}#`) ? [context] : [],
      )
      return up[up.length > 1 ? drawBelow(picks, up.length) : 0] ?? null
    }
    const world = openWorld({ seed, agenda, cluster, states, contextOf, down, dependencies })
    this.scenario = make(world)
    this.faults = new Faults({
      seed,
      agenda,
      cluster,
      instances,
      writers: this.#writers,
      down,
      wanted,
      dependencies: () => dependencies,
      wiped: () => {
        this.heard.wiped((id) => this.said.isSimulated(id))
        this.said.wiped()
      },
    })
  }

  /** Another instance of the service that has the partition now, and has taken it. */
  #otherOwnerOf(state: ServiceState, life: Life, at: TopicPartition): string | null {
    const owner = this.instances.find(
      (instance) => instance.serviceName === state.name && instance.holds(at),
    )
    return owner === undefined || owner.life === life ? null : owner.name
  }

  [Symbol.dispose](): void {
    for (const instance of this.instances) instance.dispose()
    for (const { name, database } of this.states.values()) {
      this.#options.templates.giveBack(name, database)
    }
  }

  async #add(simulated: SimulatedService): Promise<void> {
    const {
      service,
      instances = 1,
      env = {},
    } = 'service' in simulated ? simulated : { service: simulated }
    const { templates } = this.#options
    const state = new ServiceState(service, await templates.take(service))
    const { agenda, heard, verdict } = this
    const { database } = state
    const effects = this.#effects
    const writer = new DatabaseWriter({
      agenda,
      database,
      committed: (life) => this.#committed(state, life),
    })
    this.states.set(service.name, state)
    this.#writers.set(service.name, writer)
    this.#sources.add(service.name)
    const storeFailures = (): number => writer.failures
    const watch = { state, heard, effects, verdict, storeFailures }
    const dealing = chanceOf(seedFor(this.#options.seed, `slots of ${service.name}`))
    const slots = instances === 1 ? null : new SlotTable(agenda, dealing)
    for (let number = 1; number <= instances; number += 1) {
      this.#open(service, number, {
        state,
        writer,
        watch,
        slots,
        env: { MILLRACE_TRACES: '0', ...env },
      })
    }
  }

  #open(
    service: AnyServiceDefinition,
    number: number,
    parts: Pick<
      ConstructorParameters<typeof Instance>[0],
      'state' | 'writer' | 'watch' | 'slots' | 'env'
    >,
  ): void {
    const { seed, note } = this.#options
    const { agenda, cluster } = this
    const name = `${service.name}#${number}`
    const random = chanceOf(seedFor(seed, 'grain'))
    const isFine = random() < 0.3
    const fetchMax = drawOne(random, [1, 3, 1_000])
    const shared = { seed, agenda, cluster, isFine, fetchMax, note }
    this.instances.push(new Instance({ ...shared, ...parts, name }))
  }

  #committed(state: ServiceState, life: Life): void {
    this.said.committed(state)
    this.heard.committed(state, (at) => this.#otherOwnerOf(state, life, at))
    this.#effects.committed(state)
  }
}

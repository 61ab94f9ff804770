import {
  type AnyRunningService,
  type Environment,
  type Log,
  type Random,
  startService,
  type TopicPartition,
} from '@millrace/kit'
import type { UntypedServerContext } from '@millrace/kit/inside'
import type { Agenda } from './agenda.ts'
import { chanceOf, drawBelow, seedFor } from './chance.ts'
import type { DatabaseWriter } from './database-writer.ts'
import { Life } from './life.ts'
import { restartMsMax } from './limits.ts'
import type { ServiceState } from './service-state.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { SlotTable } from './simulated-instances.ts'
import { SimulatedStore } from './simulated-store.ts'
import { openSimulatedTransport, type SimulatedTransport } from './simulated-transport.ts'
import { type Watch, watchedService } from './watched-service.ts'

export interface InstanceOptions {
  readonly name: string
  readonly seed: number
  readonly agenda: Agenda
  readonly cluster: SimulatedCluster
  readonly state: ServiceState
  readonly writer: DatabaseWriter
  readonly isFine: boolean
  readonly fetchMax: number
  /** Null where the service has one instance, as on SQLite. */
  readonly slots: SlotTable | null
  readonly env: Environment
  readonly watch: Omit<Watch, 'life' | 'started' | 'note'>
  readonly note: (life: Life, what: string) => void
}

interface Current {
  readonly life: Life
  readonly transport: SimulatedTransport
  running: AnyRunningService | null
  context: UntypedServerContext | null
}

/**
 * One instance of a service over all its lives: it starts, crashes or stops, and starts again on
 * what its database holds.
 */
export class Instance {
  readonly name: string
  readonly #options: InstanceOptions
  #current: Current | null = null
  #lives = 0

  constructor(options: InstanceOptions) {
    this.#options = options
    this.name = options.name
  }

  get life(): Life | null {
    return this.#current?.life ?? null
  }

  /** What requests work with; null while it is not up. */
  get context(): UntypedServerContext | null {
    return this.#current?.life.isAlive === true ? this.#current.context : null
  }

  get running(): AnyRunningService | null {
    return this.#current?.life.isAlive === true ? this.#current.running : null
  }

  get serviceName(): string {
    return this.#options.state.name
  }

  /** Whether a partition is its own, as far as it knows, and it has said so to its store. */
  holds(at: TopicPartition): boolean {
    const { transport, life } = this.#current ?? {}
    return (
      life?.isAlive === true && [...(transport?.consumptions ?? [])].some((one) => one.holds(at))
    )
  }

  start(): void {
    if (this.#current !== null) return
    const { name, seed, agenda, cluster, state, writer, isFine, fetchMax } = this.#options
    const { watch, note, slots, env } = this.#options
    const life = new Life(this.#lives === 0 ? name : `${name}.${this.#lives + 1}`)
    const random: Random = chanceOf(seedFor(seed, `${name} ${this.#lives}`))
    this.#lives += 1
    const transport = openSimulatedTransport({ life, agenda, cluster, fetchMax })
    const current: Current = { life, transport, running: null, context: null }
    this.#current = current
    const definition = watchedService(state.definition, {
      ...watch,
      life,
      note: (what) => note(life, what),
      started: (context) => {
        current.context = context
      },
    })
    const { database } = state
    startService(definition, {
      directory: '',
      env,
      transport,
      ...(slots === null ? {} : { instances: slots.open(name, life) }),
      store: new SimulatedStore({ life, agenda, database, writer, isFine }),
      clock: agenda.clockOf(life),
      random,
      announces: false,
      log: noteTroubles((what) => note(life, what)),
    }).then(
      (running) => {
        current.running = running
      },
      (error: unknown) => {
        note(life, `could not start: ${String(error)}`)
        this.#end(current)
      },
    )
  }

  /** As `kill -9`: what it had in hand is gone, what it had committed stays. */
  crash(): void {
    if (this.#current !== null) this.#end(this.#current)
  }

  /** Finishes what runs, hands over and ends; then it starts again. */
  stop(): void {
    const current = this.#current
    if (current?.running == null) return
    current.context = null
    const end = (): void => this.#end(current)
    current.running.stop().then(end, end)
    current.running = null
  }

  pause(): void {
    const { life, transport } = this.#current ?? {}
    life?.pause()
    for (const consumption of transport?.consumptions ?? []) consumption.fallSilent()
  }

  resume(life: Life): void {
    if (this.#current?.life !== life) return
    life.resume()
    for (const consumption of this.#current.transport.consumptions) consumption.speakAgain()
  }

  /** Ends the last life, and nothing starts again. */
  dispose(): void {
    const current = this.#current
    this.#current = null
    if (current !== null) this.#bury(current)
  }

  #end(current: Current): void {
    if (this.#current !== current) return
    this.#current = null
    this.#bury(current)
    const { name, seed, agenda } = this.#options
    const random = chanceOf(seedFor(seed, `${name} ${this.#lives} restart`))
    // Half of the restarts are quick enough for the session, the others not.
    const delayMs = drawBelow(random, random() < 0.5 ? 1_000 : restartMsMax)
    const start = (): void => this.start()
    agenda.after(null, delayMs, { what: `${name} is started again`, fire: start })
  }

  #bury({ life, transport }: Current): void {
    const { agenda, writer, slots } = this.#options
    life.end()
    agenda.drop(life)
    writer.crash(life)
    slots?.crash(life)
    for (const consumption of transport.consumptions) {
      consumption.end()
      consumption.fallSilent()
    }
  }
}

/** What the kit warns of belongs to the story of a schedule. */
function noteTroubles(note: (what: string) => void): Log {
  const log: Log = {
    debug() {},
    info() {},
    warn: (fields, message) => note(`says: ${message}${reasonIn(fields)}`),
    error: (fields, message) => note(`says: ${message}${reasonIn(fields)}`),
    child: () => log,
  }
  return log
}

function reasonIn(fields: object): string {
  return 'reason' in fields ? ` (${String(fields.reason)})` : ''
}

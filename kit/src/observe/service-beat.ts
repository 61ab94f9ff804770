import type { Clock, Timer } from '../clock.ts'
import { servicesTopic } from '../control/control-topics.ts'
import { controlReadMax } from '../limits.ts'
import type { OutgoingRecord, Transport } from '../transport/transport.ts'
import { serviceBeatMs, serviceForgottenMs, serviceLookMs } from './limits.ts'
import { readServiceRecord, type ServiceRecord, writeServiceRecord } from './service-record.ts'

export interface ServiceBeatOptions {
  readonly service: string
  readonly instance: string
  readonly transport: Pick<Transport, 'send' | 'readFrom'>
  readonly clock: Clock
  /** Whether Kafka answers and has the topic. */
  readonly isReady: () => boolean
  /** What to tell now. */
  readonly describe: () => Promise<ServiceRecord>
}

/**
 * Tells on `millrace.services` who we are and how we are: soon when that changes, at a slow beat
 * when it does not, and once more at a clean stop.
 *
 * H1. One look, read or send is under way, or none.
 * H2. A record of an instance of ours that has been silent for `serviceForgottenMs` gets a
 *     tombstone, by whoever of its service starts next.
 */
export class ServiceBeat {
  readonly #options: ServiceBeatOptions
  #timer: Timer | null = null
  #last: ServiceRecord | null = null
  #toldAtMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> = Promise.resolve()
  #hasTidied = false
  #isStopped = false

  constructor(options: ServiceBeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#lookLater(0)
  }

  /** Says that we have stopped, if we ever said that we are up. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#looking
    if (this.#last === null || !this.#options.isReady()) return
    const at = new Date(this.#options.clock.nowMs()).toISOString()
    await this.#tell({ ...this.#last, state: 'stopped', at })
  }

  #lookLater(delayMs: number): void {
    if (this.#isStopped) return
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#looking = this.#look().finally(() => this.#lookLater(serviceLookMs)) // H1
    })
  }

  async #look(): Promise<void> {
    const { clock, describe, isReady } = this.#options
    if (!isReady()) return
    try {
      const record = await describe()
      const isDue = clock.nowMs() - this.#toldAtMs >= serviceBeatMs
      const isNew = this.#last === null || gistOf(record) !== gistOf(this.#last)
      if (isDue || isNew) await this.#tell(record)
      if (!this.#hasTidied) await this.#tidy()
    } catch {
      // The store or Kafka is in trouble, which is told elsewhere; the next look is soon.
    }
  }

  async #tell(record: ServiceRecord): Promise<void> {
    const sent = await this.#send(keyOf(record), writeServiceRecord(record))
    if (!sent) return
    this.#last = record
    this.#toldAtMs = this.#options.clock.nowMs()
  }

  /** H2 */
  async #tidy(): Promise<void> {
    const { transport, service, clock } = this.#options
    const forgottenAtMs = clock.nowMs() - serviceForgottenMs
    const old = new Set<string>()
    for (let offset = 0n; ; ) {
      const at = { topic: servicesTopic, partition: 0 }
      const records = await transport.readFrom(at, offset, controlReadMax)
      for (const { key, value } of records) {
        const name = key === null ? '' : new TextDecoder().decode(key)
        const known = value === null ? null : readServiceRecord(value)
        const isOld = known?.service === service && Date.parse(known.at) < forgottenAtMs
        if (isOld) old.add(name)
        else old.delete(name)
      }
      const last = records.at(-1)
      if (last === undefined || records.length < controlReadMax) break
      offset = last.offset + 1n
    }
    for (const name of old) await this.#send(name, null)
    this.#hasTidied = true
  }

  async #send(key: string, value: Uint8Array | null): Promise<boolean> {
    const { transport, clock } = this.#options
    const record: OutgoingRecord = {
      key: new TextEncoder().encode(key),
      value,
      headers: [],
      timestampMs: clock.nowMs(),
    }
    const outcome = await transport.send({ topic: servicesTopic, partition: 0 }, [record])
    return outcome.kind === 'sent'
  }
}

function keyOf({ service, instance }: ServiceRecord): string {
  return `${service}/${instance}`
}

/** What of a record is news when it changes. Ages always change, and are told with the rest. */
function gistOf({ at: _at, oldestUnsentMs: _age, ...gist }: ServiceRecord): string {
  return JSON.stringify(gist)
}

import { setTimeout as pause } from 'node:timers/promises'
import type { Transport } from '@millrace/kit'

/** One record in this time, whatever dies meanwhile. */
const paceMs = 10

/**
 * Produces records to a topic of its own, one after another, with acks=all, and remembers which
 * of them were acknowledged. One that was not is left alone: it may be there or not.
 */
export class AcknowledgedProducer implements AsyncDisposable {
  readonly topic = 'plain'
  readonly acknowledged: string[] = []
  readonly #transport: Transport
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>

  /** Starts at once. The transport is closed with it. */
  constructor(transport: Transport) {
    this.#transport = transport
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    await this.#running
    await this.#transport[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    await this.#transport.ensureTopics([{ topic: this.topic, partitions: 1 }])
    for (let number = 1; !signal.aborted; number += 1) {
      const value = `record ${number}`
      const outcome = await this.#transport.send({ topic: this.topic, partition: 0 }, [
        {
          key: null,
          value: new TextEncoder().encode(value),
          headers: [],
          timestampMs: Date.now(),
        },
      ])
      if (outcome.kind === 'sent') this.acknowledged.push(value)
      await pause(paceMs)
    }
  }
}

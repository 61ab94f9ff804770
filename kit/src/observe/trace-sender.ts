import type { Clock, Timer } from '../clock.ts'
import { tracesTopic } from '../control/control-topics.ts'
import type { Transport } from '../transport/transport.ts'
import {
  traceBatchAgeMsMax,
  traceBatchStepsMax,
  traceBufferStepsMax,
  traceFlushMsMax,
} from './limits.ts'
import { type TraceStep, writeTraceBatch } from './trace-step.ts'

export interface TraceSenderOptions {
  readonly service: string
  readonly instance: string
  readonly transport: Pick<Transport, 'send'>
  readonly clock: Clock
  /** Whether Kafka answers and has the topic; until then steps wait, as many as there is room. */
  readonly isReady: () => boolean
}

/**
 * Takes steps to `millrace.traces`, beside the events and never before them.
 *
 * T1. Nobody waits for it: `add` returns at once, and what fails is dropped, not tried again.
 * T2. At most `traceBufferStepsMax` steps are in memory; those beyond are dropped and counted.
 * T3. One send is in flight, or none.
 */
export class TraceSender {
  readonly #options: TraceSenderOptions
  #steps: TraceStep[] = []
  #timer: Timer | null = null
  #sending: Promise<void> | null = null
  #isStopped = false
  #dropped = 0
  /** Of `#dropped`, what the topic was told of. */
  #told = 0

  constructor(options: TraceSenderOptions) {
    this.#options = options
  }

  /** Steps that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  add(step: TraceStep): void {
    if (this.#isStopped || this.#steps.length >= traceBufferStepsMax) {
      this.#dropped += 1 // T2
      return
    }
    this.#steps.push(step)
    if (this.#steps.length >= traceBatchStepsMax) this.#send()
    else this.#sendLater()
  }

  /** Tells of steps that were left out before they came here. */
  drop(steps: number): void {
    this.#dropped += steps
  }

  /** Sends what there is, as far as Kafka takes it within `traceFlushMsMax`. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    const { promise: timeUp, resolve } = Promise.withResolvers<void>()
    const limit = this.#options.clock.after(traceFlushMsMax, resolve)
    await Promise.race([this.#sendAll(), timeUp])
    limit.cancel()
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #sendAll(): Promise<void> {
    while (this.#steps.length > 0 && this.#options.isReady()) {
      this.#send()
      await this.#sending
    }
  }

  #sendLater(): void {
    if (this.#isStopped) return
    this.#timer ??= this.#options.clock.after(traceBatchAgeMsMax, () => {
      this.#timer = null
      this.#send()
    })
  }

  #send(): void {
    if (this.#sending !== null || this.#steps.length === 0 || this.#isStopped) return // T3
    if (!this.#options.isReady()) {
      this.#sendLater()
      return
    }
    const steps = this.#steps.splice(0, traceBatchStepsMax)
    this.#sending = this.#sendBatch(steps).finally(() => {
      this.#sending = null
      if (this.#steps.length >= traceBatchStepsMax) this.#send()
      else if (this.#steps.length > 0) this.#sendLater()
    })
  }

  async #sendBatch(steps: readonly TraceStep[]): Promise<void> {
    const { service, instance, transport, clock } = this.#options
    const dropped = this.#dropped
    const batch = { version: 1, service, instance, steps, dropped: dropped - this.#told } as const
    const record = {
      key: null,
      value: writeTraceBatch(batch),
      headers: [],
      timestampMs: clock.nowMs(),
    }
    const isSent = await transport.send({ topic: tracesTopic, partition: 0 }, [record]).then(
      ({ kind }) => kind === 'sent',
      () => false,
    )
    if (isSent) this.#told = dropped
    else this.#dropped += steps.length // T1
  }
}

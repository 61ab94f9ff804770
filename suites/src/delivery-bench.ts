import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Transport } from '@millrace/kit'
import type { StoreOf } from './postgres-stores.ts'
import type { TransportConformanceOptions } from './transport-conformance.ts'
import {
  sendStep,
  startWorker,
  type Work,
  type WorkerOptions,
  type WorkHandler,
  workCatalogue,
  writeDown,
} from './work-service.ts'

/** What a scenario of delivery works with: workers, and another program on the same Kafka. */
export interface Bench {
  readonly outage: Awaited<ReturnType<TransportConformanceOptions['open']>>['outage']
  readonly work: Work
  readonly group: string
  /** Another program's door to the same Kafka. */
  readonly other: Transport
  readonly connect: () => Transport
  /** A worker of this bench's group; stopped with the test. */
  readonly start: (options: Partial<WorkerOptions>) => ReturnType<typeof startWorker>
  readonly send: (name: 'updated' | 'completed', task: string, step: string) => Promise<string>
}

export interface DeliveryConformanceOptions extends TransportConformanceOptions {
  /** Where each worker's rows are, by its directory. Default: SQLite. */
  readonly storeOf?: StoreOf
}

export type Check = (title: string, run: (bench: Bench) => Promise<void>) => void

/** Retries that a test need not wait for. */
export const quick = { retry: { attemptsMax: 3, delayMsMin: 5, delayMsMax: 10 } }

/** Several times what the slowest scenario takes: what never comes about fails by its name. */
const checkMsMax = 300_000

/** Makes a test of each scenario, with topics and a group of its own. */
export function checks(options: DeliveryConformanceOptions, skip?: string): Check {
  const { storeOf } = options
  return (title, run) => {
    const limits = { timeout: checkMsMax, ...(skip === undefined ? {} : { skip }) }
    test(`${options.name}: ${title}`, limits, async () => {
      await using stack = new AsyncDisposableStack()
      const backend = stack.use(await options.open())
      const name = randomUUID().slice(0, 8)
      const work = workCatalogue(`work.${name}`)
      const group = `worker.${name}`
      const other = stack.use(backend.connect())
      await other.ensureTopics(work.catalogue.topics)
      let sent = 0
      await run({
        outage: backend.outage,
        work,
        group,
        other,
        connect: () => backend.connect(),
        start: async (given) => {
          const transport = backend.connect()
          const own = { work, group, transport, handle: writeDown }
          const store = storeOf === undefined ? {} : { storeOf }
          return stack.use(await startWorker({ ...own, ...store, ...given }))
        },
        async send(topic, task, step) {
          sent += 1
          const id = `${name}-${sent}`
          await sendStep(other, work, { name: `task.${topic}`, task, step, id })
          return id
        },
      })
    })
  }
}

/** Fails for one task until it is mended, and does all others. */
export function failingFor(task: string) {
  let isBroken = true
  const handle: WorkHandler = async (event, context) => {
    if (event.taskId === task && isBroken) throw new Error(`task "${task}" is broken`)
    await writeDown(event, context)
  }
  const mend = (): void => {
    isBroken = false
  }
  return { handle, mend }
}

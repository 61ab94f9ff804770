// What operators can do with a running service: its dead letters, its pauses, its jobs, and the
// commands by which they ask for them.

import { type DeadLetterOffice, openDeadLetterOffice } from '../dead-letter/dead-letters.ts'
import type { Parking } from '../dead-letter/parking.ts'
import { tryLettersJob } from '../dead-letter/try-letters.ts'
import type { Subscription } from '../inbox/subscription.ts'
import type { Instances } from '../instances/instances.ts'
import type { JobStatus } from '../job/job.ts'
import { Jobs } from '../job/jobs.ts'
import { lettersJob } from '../job/letters-job.ts'
import { type Rebuilding, rebuildJob } from '../job/rebuild-job.ts'
import { type Replay, replayJob } from '../job/replay-job.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { refused } from '../replay/replay-range.ts'
import { CommandDesk } from './command-desk.ts'
import { commandSubscription } from './command-subscription.ts'
import { type Pause, Pauses } from './pauses.ts'

/** What of a service beside its listening can be asked for by command. */
export interface OperableParts {
  readonly replay: Replay
  readonly projections: Rebuilding
}

/** Of a listener without a service around it. */
export const noParts: OperableParts = {
  replay: () => Promise.reject(refused('nothing can be replayed here')),
  projections: { rebuild: async () => false, progress: async () => null, status: () => [] },
}

export interface OperationsOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly instances: Instances
  /** Those that can be paused and redriven: the service's own. */
  readonly subscriptions: readonly Subscription[]
  readonly parts: OperableParts
  /** Looks for due letters. */
  readonly wake: () => void
}

export class Operations {
  readonly office: DeadLetterOffice
  readonly pauses: Pauses
  /** How the service hears commands. */
  readonly subscription: Subscription
  readonly #jobs: Jobs

  /** `pausesChanged` is called when a handler was paused or resumed. */
  constructor(options: OperationsOptions, pausesChanged: () => void) {
    const { tools, parking, instances, subscriptions, parts, wake } = options
    this.office = openDeadLetterOffice({ tools, parking, wake })
    this.pauses = new Pauses({ tools, instances, changed: pausesChanged })
    const letters = lettersJob(this.office)
    this.#jobs = new Jobs({
      tools,
      instances,
      works: {
        redrive: letters,
        discard: letters,
        try: tryLettersJob(tools, subscriptions),
        replay: replayJob(parts.replay),
        rebuild: rebuildJob(parts.projections, tools.clock),
      },
    })
    const { office, pauses } = this
    const { projections } = parts
    const jobs = this.#jobs
    const desk = new CommandDesk({ ...options, office, pauses, jobs, projections })
    this.subscription = commandSubscription(tools, desk)
  }

  async start(): Promise<void> {
    await this.pauses.load()
    this.#jobs.wake()
  }

  jobs(): Promise<readonly JobStatus[]> {
    return this.#jobs.status()
  }

  paused(): readonly Pause[] {
    return this.pauses.list()
  }

  async stop(): Promise<void> {
    this.pauses.stop()
    await this.#jobs.stop()
  }
}

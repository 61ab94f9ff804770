// Handlers that somebody has paused.
//
// Z1. A pause is in the store, so that it outlives a restart and holds on all instances; each
//     knows it by heart, learns of a change by call, and looks again now and then.

import type { Transaction } from 'kysely'
import type { Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Instances } from '../instances/instances.ts'
import { ordersSweepMs } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { PauseRow } from '../store/tables/jobs.ts'

/** A paused handler, for health. */
export interface Pause {
  readonly subscription: string
  readonly askedBy: string
  readonly since: string
}

export interface PausesOptions {
  readonly tools: DeliveryTools
  readonly instances: Instances
  /** Something may begin that was paused. */
  readonly changed: () => void
}

export class Pauses {
  readonly #options: PausesOptions
  readonly #leave: () => void
  #pauses = new Map<string, PauseRow>()
  #timer: Timer | null = null
  #isStopped = false

  constructor(options: PausesOptions) {
    this.#options = options
    this.#leave = options.instances.join({
      gained: () => {},
      ended: async () => {},
      called: ({ kind }) => {
        if (kind === 'orders') void this.load()
      },
    })
  }

  has(subscription: string): boolean {
    return this.#pauses.has(subscription)
  }

  list(): readonly Pause[] {
    return [...this.#pauses.values()].map(({ subscription, asked_by: askedBy, since_ms }) => {
      return { subscription, askedBy, since: new Date(since_ms).toISOString() }
    })
  }

  /** Looks what is paused now; call it before the first delivery. */
  async load(): Promise<void> {
    const { tools, changed } = this.#options
    this.#timer?.cancel()
    try {
      const rows = await tools.store.read.selectFrom('millrace_pauses').selectAll().execute()
      this.#pauses = new Map(rows.map((row) => [row.subscription, row]))
      changed()
    } catch (error) {
      tools.log.warn({ reason: messageOf(error) }, 'pauses could not be read')
    }
    if (this.#isStopped) return
    this.#timer = tools.clock.after(ordersSweepMs, () => void this.load())
  }

  /** In the transaction of a command. Returns what is to be called after its commit. */
  async set(
    db: Transaction<KitTables>,
    subscription: string,
    askedBy: string | null,
  ): Promise<() => void> {
    if (askedBy === null) {
      await db.deleteFrom('millrace_pauses').where('subscription', '=', subscription).execute()
    } else {
      const row = { subscription, asked_by: askedBy, since_ms: this.#options.tools.clock.nowMs() }
      await db.insertInto('millrace_pauses').values(row).execute()
    }
    return () => {
      this.#options.instances.call({ kind: 'orders' })
      void this.load()
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#leave()
    this.#timer?.cancel()
  }
}

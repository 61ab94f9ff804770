// What a handler does beside its database in a replay: nothing, and it is noted.

import { Effects } from '../effect.ts'
import type { Effect } from '../handler.ts'
import { Outbox } from '../outbox/outbox.ts'
import type { UnwrittenRow } from '../outbox/place.ts'
import { type CancelOutcome, Schedule, type Scheduled } from '../schedule/schedule.ts'
import type { LastWrite } from '../store/last-write.ts'

/** What one run of a handler wanted to do and say. */
export interface Wanted {
  readonly effects: { readonly name: string; readonly person: string }[]
  readonly events: UnwrittenRow[]
}

/** Effects that succeed without having happened. */
export class MutedEffects extends Effects {
  readonly #wanted: Wanted

  constructor(options: ConstructorParameters<typeof Effects>[0], wanted: Wanted) {
    super(options)
    this.#wanted = wanted
  }

  override of(): Effect {
    return async (name: string, personOrAct: unknown) => {
      const person = typeof personOrAct === 'string' ? personOrAct : ''
      this.#wanted.effects.push({ name, person })
    }
  }
}

/** An outbox into which nothing is written. Events are checked all the same. */
export class MutedOutbox extends Outbox {
  override readonly schedule: Schedule
  readonly #wanted: Wanted

  constructor(wanted: Wanted) {
    super(Number.POSITIVE_INFINITY)
    this.#wanted = wanted
    this.schedule = new MutedSchedule(wanted)
  }

  override lastWrite(rows: readonly UnwrittenRow[]): LastWrite | null {
    this.#wanted.events.push(...rows)
    return null
  }

  override committed(): void {}
}

class MutedSchedule extends Schedule {
  readonly #wanted: Wanted

  constructor(wanted: Wanted) {
    super()
    this.#wanted = wanted
  }

  override async add(_db: unknown, given: readonly Scheduled[]): Promise<void> {
    this.#wanted.events.push(...given.map(({ row }) => row))
  }

  override async cancel(): Promise<CancelOutcome> {
    return { kind: 'unknown' }
  }

  override committed(): void {}
}

import { type Life, newestLife } from './life.ts'
import type { ServiceState } from './service-state.ts'
import type { Verdict } from './verdict.ts'

interface Act {
  readonly life: Life
  /** How often the store had failed when it succeeded. */
  readonly failures: number
}

/** One effect of one event, for one person. */
export interface EffectPlace {
  readonly service: string
  readonly eventId: string
  readonly name: string
  readonly person: string
}

/**
 * What handlers did outside their databases.
 *
 * P3. An act that succeeded is repeated only where its instance died, or its store failed, before
 *     the record of it was committed; and never once it was, but for an instance that began it
 *     before and stood still, or has not heard yet that the partition is another's.
 */
export class EffectLedger {
  readonly #verdict: Verdict
  readonly #acted = new Map<string, Act>()
  /** With the life that was the newest then. */
  readonly #recorded = new Map<string, number>()

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  acts(place: EffectPlace, { life, failures }: Act): void {
    const name = nameOf(place)
    const earlier = this.#acted.get(name)
    const newest = this.#recorded.get(name)
    const mayBeLate = newest !== undefined && earlier?.life !== life && life.number <= newest
    if (mayBeLate) return
    if (newest !== undefined) {
      this.#verdict.violated('P3', `the effect ${name} runs again, though it is recorded as done`)
    } else if (earlier !== undefined && earlier.life === life && earlier.failures === failures) {
      this.#verdict.violated('P3', `the effect ${name} runs again, though it succeeded before`)
    }
  }

  acted(place: EffectPlace, act: Act): void {
    this.#acted.set(nameOf(place), act)
  }

  /** The handler goes on as if the act had succeeded. */
  passed(place: EffectPlace): void {
    if (this.#acted.has(nameOf(place))) return
    this.#verdict.violated('P3', `the effect ${nameOf(place)} counts as done, but never succeeded`)
  }

  committed(state: ServiceState): void {
    if (this.#acted.size === 0) return
    for (const { event_id: eventId, name, person } of state.effects()) {
      this.#recorded.set(nameOf({ service: state.name, eventId, name, person }), newestLife())
    }
  }
}

function nameOf({ service, eventId, name, person }: EffectPlace): string {
  return `"${name}"${person === '' ? '' : ` for ${person}`} of ${eventId} in ${service}`
}

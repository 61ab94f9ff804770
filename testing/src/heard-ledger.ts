import type { IncomingRecord, TopicPartition } from '@millrace/kit'
import { readHeaders } from '@millrace/kit/inside'
import type { SaidLedger } from './said-ledger.ts'
import type { ServiceState } from './service-state.ts'
import type { Verdict } from './verdict.ts'

export interface HeardPlace {
  readonly eventType: string
  readonly topic: string
  readonly key: string | null
  readonly at: TopicPartition
}

type OtherOwner = (at: TopicPartition) => string | null

/**
 * What handlers did in their databases, by what is committed there.
 *
 * P3. A handler's transaction commits once for each event.
 * P4. Of one key they commit in the order of the topic, whatever failed meanwhile.
 * P6. An instance commits nothing of a partition that another has taken.
 * P5. While a key is held by a letter, no handler is called for another of its events.
 */
export class HeardLedger {
  readonly #verdict: Verdict
  readonly #said: SaidLedger
  readonly #places = new Map<string, HeardPlace>()
  /** `service subscription event`. */
  readonly #handled = new Set<string>()
  readonly #gone = new Set<string>()
  /** Events that run as letters, wherever their partition is. */
  readonly #stored = new Set<string>()
  /** Whose last run came to its end, and whether it had used its transaction. */
  readonly #ended = new Map<string, boolean>()

  constructor(verdict: Verdict, said: SaidLedger) {
    this.#verdict = verdict
    this.#said = said
  }

  appended(record: IncomingRecord): void {
    const { id, type } = readHeaders(record.headers)
    if (id === undefined || type === undefined) return
    const key = record.key === null ? null : new TextDecoder().decode(record.key)
    const { topic, partition } = record
    this.#places.set(id, { eventType: type, topic, key, at: { topic, partition } })
  }

  /** Records of programs that are not simulated: nobody sends them to the next cluster again. */
  wiped(isSimulated: (id: string) => boolean): void {
    for (const id of this.#places.keys()) if (!isSimulated(id)) this.#gone.add(id)
  }

  isHandled(service: string, subscription: string, id: string): boolean {
    return this.#handled.has(`${service} ${subscription} ${id}`)
  }

  /** A handler is about to be called. */
  begins(
    state: ServiceState,
    event: { readonly eventId: string; readonly eventType: string },
  ): void {
    const place = this.#places.get(event.eventId)
    this.#stored.delete(event.eventId)
    const route = state.definition.catalogue.routes.get(event.eventType)
    if (place === undefined || place.key === null || route === undefined) return
    const head = state.headOf(route.stream, place.key)
    if (head === null) return
    if (head.event_id === event.eventId) {
      this.#stored.add(event.eventId)
      return
    }
    this.#verdict.violated(
      'P5',
      `the handler of "${event.eventType}" in ${state.name} is called for ${event.eventId}, ` +
        `though ${head.event_id} of its key "${place.key}" is put aside (${head.state})`,
    )
  }

  /** A handler has come to its end; what it did is not committed yet. */
  ends(state: ServiceState, subscription: string, id: string, hasUsedDb: boolean): void {
    this.#ended.set(`${state.name} ${subscription} ${id}`, hasUsedDb)
  }

  /** `otherOwner`: who, but the one that has just committed, has a partition by now. */
  committed(state: ServiceState, otherOwner: OtherOwner): void {
    this.#workCommitted(state, otherOwner)
    for (const { event_id: id, subscription } of state.inbox()) {
      const handled = `${state.name} ${subscription} ${id}`
      // Rows of timers and of projections: no handler that is watched here has written them.
      if (!state.definition.handlers.has(subscription) || this.#handled.has(handled)) continue
      if (this.#ended.get(handled) !== false) {
        this.#verdict.violated(
          'P3',
          `${id} counts as handled by "${subscription}" in ${state.name}, ` +
            'but what its handler did is not committed with that',
        )
      }
      this.#handled.add(handled)
      this.#inOrder(state, subscription, id)
    }
  }

  #workCommitted(state: ServiceState, otherOwner: OtherOwner): void {
    for (const { event_id: id, subscription } of state.heard()) {
      const handled = `${state.name} ${subscription} ${id}`
      if (this.#handled.has(handled)) {
        this.#verdict.violated(
          'P3',
          `the handler of "${subscription}" in ${state.name} has committed ${id} twice`,
        )
      }
      this.#handled.add(handled)
      this.#inOrder(state, subscription, id)
      this.#underClaim(state, id, otherOwner)
    }
  }

  /** Events on topics that a service listens to, and has neither handled nor put aside (P6). */
  missing(state: ServiceState): readonly string[] {
    const aside = new Set(state.putAside().map((letter) => letter.event_id))
    return [...this.#said.ids].filter((id) => {
      const place = this.#places.get(id)
      if (place === undefined || !state.definition.handlers.has(place.eventType)) return false
      if (this.#gone.has(id) || aside.has(id)) return false
      return !this.isHandled(state.name, place.eventType, id)
    })
  }

  /** P6. */
  #underClaim(state: ServiceState, id: string, otherOwner: OtherOwner): void {
    const { at } = this.#places.get(id) ?? {}
    const owner = at === undefined || this.#stored.has(id) ? null : otherOwner(at)
    if (at === undefined || owner === null) return
    this.#verdict.violated(
      'P6',
      `an instance of ${state.name} has committed ${id} of ${at.topic}/${at.partition} late: ` +
        `${owner} has the partition by now`,
    )
  }

  /** P4. */
  #inOrder(state: ServiceState, subscription: string, id: string): void {
    const place = this.#places.get(id)
    if (place === undefined || place.key === null || isFree(state, subscription)) return
    for (const earlier of this.#said.before(place.topic, place.key, id) ?? []) {
      const { eventType = '' } = this.#places.get(earlier) ?? {}
      const isOurs = state.definition.handlers.has(eventType) && !isFree(state, eventType)
      if (!isOurs || this.#gone.has(earlier)) continue
      if (this.isHandled(state.name, eventType, earlier)) continue
      const letter = state.putAside().find((put) => put.event_id === earlier)
      if (letter?.state === 'rejected' || letter?.state === 'skipped') continue
      this.#verdict.violated(
        'P4',
        `${state.name} has handled ${id} of the key "${place.key}" before ${earlier}, which ` +
          `stands before it on ${place.topic}${letter === undefined ? '' : ` and is ${letter.state}`}`,
      )
    }
  }
}

/** A handler that needs no order is promised none. */
function isFree({ definition }: ServiceState, subscription: string): boolean {
  return definition.handlers.get(subscription)?.options.onExhausted === 'skip'
}

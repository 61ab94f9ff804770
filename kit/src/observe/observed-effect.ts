import type { Clock } from '../clock.ts'
import type { Envelope } from '../envelope.ts'
import type { Effect } from '../handler.ts'
import type { ObservedEffect, Observer } from './observer.ts'

export interface EffectWatch {
  readonly observer: Observer
  readonly clock: Clock
}

type Act = (key: string) => Promise<unknown>

/** An `effect` that tells the observer what came of each call; where nobody listens, as it was. */
export function observedEffect(
  { observer, clock }: EffectWatch,
  event: Envelope,
  effect: Effect,
): Effect {
  if (observer.effect === undefined) return effect
  return async (name: string, personOrAct: string | Act, maybeAct?: Act) => {
    const startedAtMs = clock.nowMs()
    let outcome: ObservedEffect['outcome'] = 'done before'
    const watched = (act: Act | undefined) => async (key: string) => {
      outcome = 'failed'
      await act?.(key)
      outcome = 'done'
    }
    try {
      if (typeof personOrAct === 'string') await effect(name, personOrAct, watched(maybeAct))
      else await effect(name, watched(personOrAct))
    } finally {
      observer.effect?.({ event, name, outcome, startedAtMs, endedAtMs: clock.nowMs() })
    }
  }
}

import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { noObserver, type Observer } from './observer.ts'

/**
 * Several observers behind one door. One that throws harms nobody, and the first time is told of:
 * observing never changes what becomes of an event. `propagate` and `around` are the first's
 * that has them.
 */
export function observeAll(observers: readonly Observer[], log: Log): Observer {
  if (observers.length === 0) return noObserver
  let isTold = false
  const failed = (error: unknown): void => {
    if (!isTold) log.error({ reason: messageOf(error) }, 'an observer failed; events go on')
    isTold = true
  }
  const each = <Arguments extends readonly unknown[]>(
    pick: (observer: Observer) => ((...args: Arguments) => void) | undefined,
  ): ((...args: Arguments) => void) => {
    const listeners = observers.flatMap((observer) => pick(observer) ?? [])
    return (...args) => {
      for (const listener of listeners) {
        try {
          listener(...args)
        } catch (error) {
          failed(error)
        }
      }
    }
  }
  const propagating = observers.find((one) => one.propagate !== undefined)
  const surrounding = observers.find((one) => one.around !== undefined)
  return {
    propagate: (event, correlation) => {
      try {
        return propagating?.propagate?.(event, correlation) ?? null
      } catch (error) {
        failed(error)
        return null
      }
    },
    around: (attempt, work) =>
      surrounding?.around === undefined ? work() : surrounding.around(attempt, work),
    said: each((one) => one.said?.bind(one)),
    sent: each((one) => one.sent?.bind(one)),
    heard: each((one) => one.heard?.bind(one)),
    repeated: each((one) => one.repeated?.bind(one)),
    rejected: each((one) => one.rejected?.bind(one)),
    attempting: each((one) => one.attempting?.bind(one)),
    attempted: each((one) => one.attempted?.bind(one)),
    effect: each((one) => one.effect?.bind(one)),
    delayed: each((one) => one.delayed?.bind(one)),
    parked: each((one) => one.parked?.bind(one)),
    redriven: each((one) => one.redriven?.bind(one)),
    discarded: each((one) => one.discarded?.bind(one)),
    settled: each((one) => one.settled?.bind(one)),
  }
}

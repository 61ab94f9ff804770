import type { AnyEvent, AnyServiceDefinition, Effect } from '@millrace/kit'
import {
  type UntypedBatchContext,
  type UntypedHandler,
  type UntypedHandlerContext,
  type UntypedPublish,
  type UntypedServerContext,
  viewTransaction,
} from '@millrace/kit/inside'
import type { Generated } from 'kysely'
import type { EffectLedger } from './effect-ledger.ts'
import type { HeardLedger } from './heard-ledger.ts'
import type { Life } from './life.ts'
import { withinRun } from './outside.ts'
import type { ServiceState } from './service-state.ts'
import { isOpened } from './simulated-store.ts'
import type { Verdict } from './verdict.ts'

export interface Watch {
  readonly life: Life
  readonly state: ServiceState
  readonly heard: HeardLedger
  readonly effects: EffectLedger
  readonly verdict: Verdict
  /** How often the service's store has failed. */
  readonly storeFailures: () => number
  /** For the trace. */
  readonly note: (what: string) => void
  /** The service has started. */
  readonly started: (running: UntypedServerContext) => void
}

/**
 * The service as the simulator runs it: its handlers as they are, each of which leaves a row of
 * its own in its transaction, and no servers, because requests come from the scenario.
 */
export function watchedService(
  definition: AnyServiceDefinition,
  watch: Watch,
): AnyServiceDefinition {
  const handlers = new Map(
    [...definition.handlers].map(([name, handler]) => [name, watchedHandler(handler, watch)]),
  )
  const servers = [
    async (running: UntypedServerContext) => {
      watch.started(running)
      return { stop: async () => {} }
    },
  ]
  return { ...definition, handlers, servers }
}

/** As `WitnessTables`, for whoever writes it. */
interface Witness {
  simulated_runs: { number: Generated<number>; event_id: string; subscription: string }
}

function watchedHandler(handler: UntypedHandler, watch: Watch): UntypedHandler {
  const { eventName } = handler
  if (handler.batch !== undefined) {
    return {
      ...handler,
      async handleBatch(events: readonly AnyEvent[], context: UntypedBatchContext) {
        const published: string[] = []
        const of = (event: { readonly eventId: string }) => {
          const own = context.of(event)
          const publish: UntypedPublish = (name, body, options) => {
            published.push(name)
            return own.publish(name, body, options)
          }
          return { ...own, publish, effect: watchedEffect(event.eventId, own, watch) }
        }
        const work = (): Promise<void> => handler.handleBatch(events, { ...context, of })
        await watched({ eventName, events, watch }, work)
        const hasUsedDb = published.length > 0 || isOpened(context.db)
        await leaveWitness(context.db, hasUsedDb, { eventName, events, watch })
      },
    }
  }
  return {
    ...handler,
    async handle(event: AnyEvent, context: UntypedHandlerContext) {
      const published: string[] = []
      const publish: UntypedPublish = (name, body, options) => {
        published.push(name)
        return context.publish(name, body, options)
      }
      const effect = watchedEffect(event.eventId, context, watch)
      const work = (): Promise<void> => handler.handle(event, { ...context, publish, effect })
      await watched({ eventName, events: [event], watch }, work)
      const hasUsedDb = published.length > 0 || isOpened(context.db)
      await leaveWitness(context.db, hasUsedDb, { eventName, events: [event], watch })
    },
  }
}

interface Watched {
  readonly eventName: string
  readonly events: readonly AnyEvent[]
  readonly watch: Watch
}

async function watched(
  { eventName, events, watch }: Watched,
  work: () => Promise<void>,
): Promise<void> {
  const { life, heard, state, verdict, note } = watch
  const what = `the handler of "${eventName}" in ${state.name}`
  note(`runs the handler of "${eventName}" on ${events.map(({ eventId }) => eventId).join(', ')}`)
  for (const event of events) heard.begins(state, event)
  const usesOutside = (kind: string, place: string): void => {
    verdict.violated(
      'outside',
      `${what} waits for a ${kind} of the real world, which no schedule decides: ${place}. ` +
        'Give it to the service as a resource, and the simulation a dependency in its place',
    )
  }
  await withinRun({ life, what, usesOutside }, work)
}

/** A handler that used no transaction is left without one, and known by its inbox row alone. */
async function leaveWitness(
  db: UntypedHandlerContext['db'],
  hasUsedDb: boolean,
  { eventName, events, watch }: Watched,
): Promise<void> {
  for (const { eventId } of events) watch.heard.ends(watch.state, eventName, eventId, hasUsedDb)
  if (!hasUsedDb) return
  await viewTransaction<Witness>(db)
    .insertInto('simulated_runs')
    .values(events.map(({ eventId }) => ({ event_id: eventId, subscription: eventName })))
    .execute()
}

type EffectAct = (key: string) => Promise<unknown>

function watchedEffect(
  eventId: string,
  { effect }: { readonly effect: Effect },
  watch: Watch,
): Effect {
  const { life, effects, state, storeFailures } = watch
  return async (name: string, personOrAct: string | EffectAct, maybeAct?: EffectAct) => {
    const person = typeof personOrAct === 'string' ? personOrAct : ''
    const act = typeof personOrAct === 'string' ? maybeAct : personOrAct
    const place = { service: state.name, eventId, name, person }
    const watchedAct = async (key: string): Promise<void> => {
      effects.acts(place, { life, failures: storeFailures() })
      await act?.(key)
      effects.acted(place, { life, failures: storeFailures() })
    }
    await (person === '' ? effect(name, watchedAct) : effect(name, person, watchedAct))
    effects.passed(place)
  }
}

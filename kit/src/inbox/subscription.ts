import type { BatchLimits } from '../batch-handler.ts'
import type { AnyEvent, Catalogue } from '../catalogue/catalogue.ts'
import type { HandlerOptions } from '../handler.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { UntypedBatchContext, UntypedHandler, UntypedHandlerContext } from '../untyped.ts'

/** One handler and what it listens to: a lane of its own, with its own breaker. */
export type Subscription = EventSubscription | BatchSubscription

interface SubscriptionPlace {
  /** The event that it handles. */
  readonly name: string
  readonly topic: string
  /** Keys are ordered by stream, over all its topics (P4). */
  readonly stream: string
  /** By which the topic's records are read. */
  readonly catalogue: Catalogue
  readonly options: HandlerOptions
  /** False for an event that is not for us: nothing happens, and nothing is recorded. */
  concerns(event: AnyEvent): boolean
}

export interface EventSubscription extends SubscriptionPlace {
  readonly batch?: never
  /** Returns what is to happen once its transaction has committed. */
  handle(event: AnyEvent, context: UntypedHandlerContext): Promise<AfterCommit | undefined>
}

export interface BatchSubscription extends SubscriptionPlace {
  readonly batch: BatchLimits
  handleBatch(events: readonly AnyEvent[], context: UntypedBatchContext): Promise<void>
}

export type AfterCommit = () => void

/** What a service's own handlers listen to. */
export function subscriptionsOf(service: AnyServiceDefinition): readonly Subscription[] {
  const { catalogue } = service
  return [...service.handlers.values()].flatMap((handler) => {
    const { eventName: name, options } = handler
    const route = catalogue.routes.get(name)
    if (route === undefined) return []
    const { topic, stream } = route
    return [{ name, topic, stream, catalogue, options, concerns: () => true, ...workOf(handler) }]
  })
}

function workOf(handler: UntypedHandler) {
  if (handler.batch !== undefined) {
    return {
      batch: handler.batch,
      handleBatch: (events: readonly AnyEvent[], context: UntypedBatchContext) =>
        handler.handleBatch(events, context),
    }
  }
  return {
    handle: async (event: AnyEvent, context: UntypedHandlerContext) => {
      await handler.handle(event, context)
      return undefined
    },
  }
}

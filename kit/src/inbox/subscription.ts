import type { AnyEvent, Catalogue } from '../catalogue/catalogue.ts'
import type { HandlerOptions } from '../handler.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { UntypedHandlerContext } from '../untyped.ts'

/** One handler and what it listens to: a lane of its own, with its own breaker. */
export interface Subscription {
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
  /** Returns what is to happen once its transaction has committed. */
  handle(event: AnyEvent, context: UntypedHandlerContext): Promise<AfterCommit | undefined>
}

export type AfterCommit = () => void

/** What a service's own handlers listen to. */
export function subscriptionsOf(service: AnyServiceDefinition): readonly Subscription[] {
  const { catalogue } = service
  return [...service.handlers.values()].flatMap((handler) => {
    const route = catalogue.routes.get(handler.eventName)
    if (route === undefined) return []
    return [
      {
        name: handler.eventName,
        topic: route.topic,
        stream: route.stream,
        catalogue,
        options: handler.options,
        concerns: () => true,
        handle: async (event, context) => {
          await handler.handle(event, context)
          return undefined
        },
      },
    ]
  })
}

import type { Catalogue } from '../catalogue/catalogue.ts'
import { controlTopics } from '../control/control-topics.ts'
import { timerTopics } from '../state/timer-event.ts'
import type { TopicRequest } from '../transport/transport.ts'

/** What of a service its topics follow from. */
export type TopicSource = Parameters<typeof timerTopics>[0] & { readonly catalogue: Catalogue }

/**
 * Every topic that a service makes where it is missing: its catalogue's, those of its timers, and
 * those by which it is operated.
 */
export function serviceTopics(service: TopicSource): readonly TopicRequest[] {
  return [...service.catalogue.topics, ...timerTopics(service), ...controlTopics]
}

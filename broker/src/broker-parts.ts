import type { AnyApi } from '@millrace/wire'
import type { BrokerSettings } from './broker-settings.ts'
import type { Clock } from './clock.ts'
import type { Endpoint } from './endpoint.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { Interceptors } from './intercept.ts'
import type { LogDirectory } from './log/log-directory.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { TopicCatalogue } from './topics/catalogue.ts'
import type { WaitingFetches } from './waiting-fetches.ts'

/** The only node there is; Kafka's own quick start has the same number. */
export const nodeId = 1

/** What a broker is made of, as far as its handlers use it. */
export interface BrokerParts {
  /** What is served, for the answer to ApiVersions. */
  readonly apis: readonly AnyApi[]
  readonly clusterId: string
  readonly settings: BrokerSettings
  readonly clock: Clock
  /** One line for people. */
  readonly report: (line: string) => void
  readonly endpoints: readonly Endpoint[]
  readonly logs: LogDirectory
  readonly topics: TopicCatalogue
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  readonly waitingFetches: WaitingFetches
  readonly interceptors: Interceptors
}

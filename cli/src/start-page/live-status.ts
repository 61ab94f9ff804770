/** What changes while a host runs: the page asks for it every few seconds. */
export interface LiveStatus {
  readonly services: ReadonlyMap<string, ServiceHealth>
  /** What the services hold parked or rejected. */
  readonly deadLetters: readonly DeadLetterCount[]
  readonly topics: TopicsStatus
}

export interface ServiceHealth {
  readonly state: 'up' | 'degraded' | 'down'
  /** One line that says why, or what it does. */
  readonly detail: string
}

export interface DeadLetterCount {
  readonly service: string
  readonly count: number
}

export type TopicsStatus =
  | { readonly kind: 'listed'; readonly topics: readonly TopicStatus[] }
  /** Kafka cannot be asked; the reason says why, and what now. */
  | { readonly kind: 'unknown'; readonly reason: string }

export interface TopicStatus {
  readonly topic: string
  readonly partitions: number
  readonly records: bigint
}

import type { Catalogue } from '../catalogue/catalogue.ts'
import type { PartitionLag, Transport } from '../transport/transport.ts'

export interface ListeningService {
  readonly group: string
  readonly catalogue: Catalogue
  readonly handlers: ReadonlyMap<string, unknown>
}

/**
 * How far behind a service's group is on each partition that it listens to. Empty where it
 * listens to nothing, or where Kafka does not tell: health has an answer in any case.
 */
export async function readGroupLag(
  transport: Transport,
  { group, catalogue, handlers }: ListeningService,
): Promise<readonly PartitionLag[]> {
  const topics = [...handlers.keys()].flatMap((name) => catalogue.routes.get(name)?.topic ?? [])
  if (topics.length === 0) return []
  try {
    return await transport.lag(group, [...new Set(topics)])
  } catch {
    return []
  }
}

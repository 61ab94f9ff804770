import type { VersionRange } from './message.ts'

/** Versions that Kafka itself has dropped, and that are declared all the same for somebody. */
export interface KeptVersions {
  readonly api: string
  readonly versions: VersionRange
  readonly reason: string
}

/**
 * What is not in this list is within the versions that Kafka 4.3 calls valid; the comparison with
 * Kafka's own definitions holds us to that.
 */
export const keptVersions: readonly KeptVersions[] = [
  {
    api: 'Produce',
    versions: [0, 2],
    reason:
      'librdkafka before 2.11 compresses nothing unless the broker says that Produce begins at 0 ' +
      '(KAFKA-18659), so a broker says so; declared, such a request can be refused in its own form',
  },
]

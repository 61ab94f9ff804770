// What a fetch of one partition asks and is answered. It names nothing of the client that does it,
// so that what users compile against does not either.

import type { IncomingRecord, TopicPartition } from './transport.ts'

/** Where to read on in one partition. */
export interface FetchPosition extends TopicPartition {
  /** The topic's id when we were given the partition: a topic made again is another one. */
  readonly topicId: string
  readonly offset: bigint
}

/** The batch at `offset` cannot be read; by its header the next one begins at `nextOffset`. */
export interface DamagedFetch {
  readonly kind: 'damaged'
  readonly offset: bigint
  readonly nextOffset: bigint
  readonly reason: string
}

/** What a partition answered. */
export type PartitionFetch = TopicPartition &
  (
    | {
        readonly kind: 'records'
        readonly records: readonly IncomingRecord[]
        /** Where to read on: beyond control batches and gaps too. */
        readonly nextOffset: bigint
      }
    /** The offset is not there any more, or not yet: the log begins at `logStart`. */
    | { readonly kind: 'out-of-range'; readonly logStart: bigint }
    /** Another broker leads it now: ask the metadata again. */
    | { readonly kind: 'moved' }
    /** The topic was deleted, or made again under its name. */
    | { readonly kind: 'gone' }
    | DamagedFetch
    | { readonly kind: 'failed'; readonly code: number }
  )

/** What the compiler must accept and refuse; checked by `tsc`, never run. */
import type { RequestInput, ResponseInput } from '../src/wire.ts'
import {
  encodeRequest,
  type Fetch,
  type FetchResponse,
  Heartbeat,
  type HeartbeatRequest,
  Metadata,
  type MetadataRequest,
  type Produce,
  type ProduceRequest,
} from '../src/wire.ts'

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type True<T extends true> = T

type Partition = ProduceRequest['topicData'][number]['partitionData'][number]
type Fetched = FetchResponse['responses'][number]['partitions'][number]

export type Inferred = [
  True<Equal<HeartbeatRequest['groupInstanceId'], string | null>>,
  True<Equal<HeartbeatRequest['generationId'], number>>,
  True<Equal<Partition['records'], Uint8Array | null>>,
  True<Equal<Fetched['highWatermark'], bigint>>,
  True<Equal<Fetched['currentLeader']['leaderEpoch'], number>>,
  True<Equal<NonNullable<MetadataRequest['topics']>[number]['name'], string | null>>,
]

const envelope = { apiVersion: 4, correlationId: 1, clientId: null }
const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

encodeRequest(Heartbeat, envelope, beat)
encodeRequest(Heartbeat, envelope, { ...beat, groupInstanceId: undefined })
encodeRequest(Metadata, envelope, { topics: null })

// @ts-expect-error a required field is missing
encodeRequest(Heartbeat, envelope, { groupId: 'g', generationId: 1 })
// @ts-expect-error a string is no number
encodeRequest(Heartbeat, envelope, { ...beat, generationId: '1' })
// @ts-expect-error an unknown field
encodeRequest(Heartbeat, envelope, { ...beat, generation: 1 })
// @ts-expect-error null where the field can not be null
encodeRequest(Heartbeat, envelope, { ...beat, memberId: null })

/** Records go out in one piece or in several. */
export const responses: ResponseInput<typeof Fetch>['responses'] = [
  {
    topic: 'orders',
    partitions: [
      {
        partitionIndex: 0,
        errorCode: 0,
        highWatermark: 1n,
        abortedTransactions: null,
        records: [Buffer.alloc(1), Buffer.alloc(1)],
      },
    ],
  },
]

export const produced: RequestInput<typeof Produce> = {
  acks: -1,
  timeoutMs: 1_000,
  topicData: [{ name: 'orders', partitionData: [{ index: 0, records: null }] }],
}

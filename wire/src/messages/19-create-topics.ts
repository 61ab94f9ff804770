import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  boolean,
  ignorable,
  int8,
  int16,
  int32,
  nullable,
  nullableString,
  since,
  string,
  tagged,
  uuid,
  withDefault,
} from '../schema.ts'

/**
 * CreateTopics makes topics. -1 partitions or replicas means the broker's default, from v4
 * (KIP-464).
 *
 * - v2 throttle time.
 * - v5 flexible (KIP-482); the response tells partitions, replicas and configs (KIP-525).
 * - v6 quotas may refuse it (KIP-599).
 * - v7 topic id (KIP-516).
 *
 * Left out: v0 and v1, which Kafka 4 dropped.
 */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({
        partitionIndex: int32,
        brokerIds: array(int32),
      }),
      configs: array({
        name: string,
        value: nullableString,
      }),
    }),
    timeoutMs: withDefault(int32, 60000),
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      topicId: ignorable(since(7, uuid)),
      errorCode: int16,
      errorMessage: nullableString,
      topicConfigErrorCode: ignorable(tagged({ tag: 0, since: 5 }, int16)),
      numPartitions: ignorable(since(5, int32, -1)),
      replicationFactor: ignorable(since(5, int16, -1)),
      configs: ignorable(
        since(
          5,
          nullable(
            array({
              name: string,
              value: nullableString,
              readOnly: boolean,
              configSource: withDefault(int8, -1),
              isSensitive: boolean,
            }),
          ),
        ),
      ),
    }),
  },
})

export type CreateTopicsRequest = RequestOf<typeof CreateTopics>
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>

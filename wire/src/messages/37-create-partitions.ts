import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  boolean,
  int16,
  int32,
  nullable,
  nullableString,
  string,
  withDefault,
} from '../schema.ts'

/**
 * CreatePartitions raises the number of partitions of topics (KIP-195).
 *
 * - v2 flexible (KIP-482).
 * - v3 quotas may refuse it (KIP-599).
 */
export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string,
      count: int32,
      assignments: nullable(
        array({
          brokerIds: array(int32),
        }),
      ),
    }),
    timeoutMs: int32,
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      name: string,
      errorCode: int16,
      errorMessage: withDefault(nullableString, null),
    }),
  },
})

export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>

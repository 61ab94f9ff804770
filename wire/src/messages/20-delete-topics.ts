import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  ignorable,
  int16,
  int32,
  nullableSince,
  nullableString,
  since,
  string,
  until,
  uuid,
  withDefault,
} from '../schema.ts'

/**
 * DeleteTopics removes topics.
 *
 * - v1 throttle time.
 * - v4 flexible (KIP-482).
 * - v5 error messages, and quotas (KIP-599).
 * - v6 by name or by id (KIP-516): `topics` replaces `topicNames`.
 *
 * Left out: v0, which Kafka 4 dropped.
 */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: {
    topics: since(
      6,
      array({
        name: withDefault(nullableString, null),
        topicId: uuid,
      }),
    ),
    topicNames: ignorable(until(5, array(string))),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      name: nullableSince(6, string),
      topicId: ignorable(since(6, uuid)),
      errorCode: int16,
      errorMessage: ignorable(since(5, nullableString, null)),
    }),
  },
})

export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>

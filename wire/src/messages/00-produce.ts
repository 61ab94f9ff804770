import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  ignorable,
  int16,
  int32,
  int64,
  nullable,
  nullableString,
  records,
  since,
  string,
  tagged,
  withDefault,
} from '../schema.ts'

/**
 * Produce appends record batches to partitions. `acks` 0 gets no response at all.
 *
 * - v1 the response says how long the client was throttled (KIP-13).
 * - v2 the append time, for topics that stamp it (KIP-32).
 * - v3 transactional id (KIP-98); records are batches of magic 2 from here on.
 * - v4 the storage error of KIP-112 may come back.
 * - v5 log start offset (KIP-107).
 * - v7 zstd is allowed (KIP-110).
 * - v8 which records of a batch were refused, and why (KIP-467).
 * - v9 flexible (KIP-482).
 * - v10 the new leader and its address, when the asked one is not it (KIP-951).
 * - v11 the error TRANSACTION_ABORTABLE (KIP-890).
 *
 * v0–2 are declared so that they can be refused politely: `kept-versions.ts` says why. Left out:
 * v12 and v13, which begin transactions implicitly (KIP-890) and name topics by id (KIP-516).
 */
export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: [0, 11],
  flexibleSince: 9,
  request: {
    transactionalId: since(3, nullableString, null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string,
      partitionData: array({
        index: int32,
        records: nullable(records),
      }),
    }),
  },
  response: {
    responses: array({
      name: string,
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: ignorable(since(2, int64, -1n)),
        logStartOffset: ignorable(since(5, int64, -1n)),
        recordErrors: ignorable(
          since(
            8,
            array({
              batchIndex: int32,
              batchIndexErrorMessage: withDefault(nullableString, null),
            }),
          ),
        ),
        errorMessage: ignorable(since(8, nullableString, null)),
        currentLeader: tagged(
          { tag: 0, since: 10 },
          {
            leaderId: withDefault(int32, -1),
            leaderEpoch: withDefault(int32, -1),
          },
        ),
      }),
    }),
    throttleTimeMs: ignorable(since(1, int32)),
    nodeEndpoints: tagged(
      { tag: 0, since: 10 },
      array({
        nodeId: int32,
        host: string,
        port: int32,
        rack: withDefault(nullableString, null),
      }),
    ),
  },
})

export type ProduceRequest = RequestOf<typeof Produce>
export type ProduceResponse = ResponseOf<typeof Produce>

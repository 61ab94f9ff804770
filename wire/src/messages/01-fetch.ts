import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  ignorable,
  int8,
  int16,
  int32,
  int64,
  nullable,
  nullableString,
  records,
  since,
  string,
  tagged,
  until,
  uuid,
  withDefault,
} from '../schema.ts'

/**
 * Fetch reads record batches from partitions, and may wait for more to come.
 *
 * - v4 isolation level, last stable offset, aborted transactions (KIP-98).
 * - v5 log start offset (KIP-107).
 * - v7 incremental sessions (KIP-227).
 * - v9 the leader epoch that the client knows (KIP-320).
 * - v10 zstd may be returned (KIP-110).
 * - v11 rack, and the replica to read from (KIP-392).
 * - v12 flexible (KIP-482); where logs diverge, and who leads now (KIP-595).
 * - v13 topics by id instead of by name (KIP-516).
 * - v14 the error for data that moved to tiered storage (KIP-405).
 * - v15 the replica says who it is in a tagged field (KIP-903).
 * - v16 addresses of new leaders (KIP-951).
 * - v17 the replica's directory (KIP-853).
 *
 * Left out: v0–3, whose records are not batches; v18, the follower's high watermark (KIP-1166).
 */
export const Fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 17],
  flexibleSince: 12,
  request: {
    clusterId: ignorable(tagged({ tag: 0, since: 12 }, nullableString, null)),
    replicaId: until(14, int32, -1),
    replicaState: tagged(
      { tag: 1, since: 15 },
      {
        replicaId: withDefault(int32, -1),
        replicaEpoch: withDefault(int64, -1n),
      },
    ),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: withDefault(int32, 2147483647),
    isolationLevel: int8,
    sessionId: ignorable(since(7, int32)),
    sessionEpoch: ignorable(since(7, int32, -1)),
    topics: array({
      topic: ignorable(until(12, string)),
      topicId: ignorable(since(13, uuid)),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: ignorable(since(9, int32, -1)),
        fetchOffset: int64,
        lastFetchedEpoch: since(12, int32, -1),
        logStartOffset: ignorable(since(5, int64, -1n)),
        partitionMaxBytes: int32,
        replicaDirectoryId: ignorable(tagged({ tag: 0, since: 17 }, uuid)),
      }),
    }),
    forgottenTopicsData: since(
      7,
      array({
        topic: ignorable(until(12, string)),
        topicId: ignorable(since(13, uuid)),
        partitions: array(int32),
      }),
    ),
    rackId: ignorable(since(11, string)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: ignorable(since(7, int16)),
    sessionId: since(7, int32),
    responses: array({
      topic: ignorable(until(12, string)),
      topicId: ignorable(since(13, uuid)),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: withDefault(int64, -1n),
        logStartOffset: ignorable(since(5, int64, -1n)),
        divergingEpoch: tagged(
          { tag: 0, since: 12 },
          {
            epoch: withDefault(int32, -1),
            endOffset: withDefault(int64, -1n),
          },
        ),
        currentLeader: tagged(
          { tag: 1, since: 12 },
          {
            leaderId: withDefault(int32, -1),
            leaderEpoch: withDefault(int32, -1),
          },
        ),
        snapshotId: tagged(
          { tag: 2, since: 12 },
          {
            endOffset: withDefault(int64, -1n),
            epoch: withDefault(int32, -1),
          },
        ),
        abortedTransactions: nullable(
          array({
            producerId: int64,
            firstOffset: int64,
          }),
        ),
        preferredReadReplica: since(11, int32, -1),
        records: nullable(records),
      }),
    }),
    nodeEndpoints: tagged(
      { tag: 0, since: 16 },
      array({
        nodeId: int32,
        host: string,
        port: int32,
        rack: withDefault(nullableString, null),
      }),
    ),
  },
})

export type FetchRequest = RequestOf<typeof Fetch>
export type FetchResponse = ResponseOf<typeof Fetch>

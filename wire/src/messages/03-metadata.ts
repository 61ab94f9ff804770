import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  between,
  boolean,
  ignorable,
  int16,
  int32,
  nullableSince,
  nullableString,
  since,
  string,
  uuid,
} from '../schema.ts'

/**
 * Metadata tells a client the brokers, and the partitions and leaders of topics. `topics` null asks
 * for all of them, from v1; in v0 an empty list does.
 *
 * - v1 rack, controller, internal topics; null topics (KIP-4).
 * - v2 cluster id (KIP-78).
 * - v3 throttle time.
 * - v4 whether a missing topic may be created (KIP-4).
 * - v5 replicas that are offline (KIP-112).
 * - v7 leader epochs (KIP-320).
 * - v8 what the client is allowed to do (KIP-430).
 * - v9 flexible (KIP-482).
 * - v10 topic ids (KIP-516); only v12 may ask by them.
 * - v11 the cluster's operations moved to DescribeCluster (KIP-700).
 * - v12 names may be null, topics are found by id.
 *
 * Left out: v13, an error for the whole response.
 */
export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 12],
  flexibleSince: 9,
  request: {
    topics: nullableSince(
      1,
      array({
        topicId: ignorable(since(10, uuid)),
        name: nullableSince(10, string),
      }),
    ),
    allowAutoTopicCreation: since(4, boolean, true),
    includeClusterAuthorizedOperations: between([8, 10], boolean),
    includeTopicAuthorizedOperations: since(8, boolean),
  },
  response: {
    throttleTimeMs: ignorable(since(3, int32)),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: ignorable(since(1, nullableString, null)),
    }),
    clusterId: ignorable(since(2, nullableString, null)),
    controllerId: ignorable(since(1, int32, -1)),
    topics: array({
      errorCode: int16,
      name: nullableSince(12, string),
      topicId: ignorable(since(10, uuid)),
      isInternal: ignorable(since(1, boolean)),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: ignorable(since(7, int32, -1)),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: ignorable(since(5, array(int32))),
      }),
      topicAuthorizedOperations: since(8, int32, -2147483648),
    }),
    clusterAuthorizedOperations: between([8, 10], int32, -2147483648),
  },
})

export type MetadataRequest = RequestOf<typeof Metadata>
export type MetadataResponse = ResponseOf<typeof Metadata>

import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  boolean,
  int8,
  int16,
  int32,
  nullableString,
  since,
  string,
  withDefault,
} from '../schema.ts'

/**
 * DescribeCluster names the brokers, the controller and the cluster (KIP-700). Always flexible.
 *
 * - v1 endpoint type: 1 asks for brokers, 2 for controllers (KIP-919).
 *
 * Left out: v2, fenced brokers (KIP-1073).
 */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    includeClusterAuthorizedOperations: boolean,
    endpointType: since(1, int8, 1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: withDefault(nullableString, null),
    endpointType: since(1, int8, 1),
    clusterId: string,
    controllerId: withDefault(int32, -1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: withDefault(nullableString, null),
    }),
    clusterAuthorizedOperations: withDefault(int32, -2147483648),
  },
})

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>

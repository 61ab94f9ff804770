// DescribeCluster names the broker, which is its own controller (KIP-700).
//
// - v1 endpoint types (KIP-919): the controller has no endpoint of its own, so asking for that of
//   controllers is refused, as by Kafka's brokers.

import { DescribeCluster, errors } from '@millrace/wire'
import { clusterOperations, operationsNotAsked } from '../authorized-operations.ts'
import { nodeId } from '../broker-parts.ts'
import { handler } from '../handler.ts'

const brokersType = 1

export const describeCluster = handler(DescribeCluster, (request, { broker, endpoint }) => {
  const common = { throttleTimeMs: 0, clusterId: broker.clusterId }
  if (request.endpointType !== brokersType) {
    const message = `endpoint type ${request.endpointType} is not served here: ask for 1 (brokers)`
    return {
      ...common,
      errorCode: errors.mismatchedEndpointType.code,
      errorMessage: message,
      brokers: [],
    }
  }
  return {
    ...common,
    errorCode: errors.none.code,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, host: endpoint.host, port: endpoint.port }],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? clusterOperations
      : operationsNotAsked,
  }
})

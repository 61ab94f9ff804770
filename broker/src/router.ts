// From a frame to the handler of its API. The array below is the list of what the broker speaks:
// the answer to ApiVersions is computed from it.

import {
  type AnyApi,
  ApiVersions,
  Reader,
  type RequestHeader,
  readRequestHeader,
  supportsVersion,
  WireError,
} from '@millrace/wire'
import { produce } from './apis/00-produce.ts'
import { fetch } from './apis/01-fetch.ts'
import { listOffsets } from './apis/02-list-offsets.ts'
import { metadata } from './apis/03-metadata.ts'
import { offsetCommit } from './apis/08-offset-commit.ts'
import { offsetFetch } from './apis/09-offset-fetch.ts'
import { findCoordinator } from './apis/10-find-coordinator.ts'
import { joinGroup } from './apis/11-join-group.ts'
import { heartbeat } from './apis/12-heartbeat.ts'
import { leaveGroup } from './apis/13-leave-group.ts'
import { syncGroup } from './apis/14-sync-group.ts'
import { describeGroups } from './apis/15-describe-groups.ts'
import { listGroups } from './apis/16-list-groups.ts'
import { apiVersions, refuseApiVersions } from './apis/18-api-versions.ts'
import { createTopics } from './apis/19-create-topics.ts'
import { deleteTopics } from './apis/20-delete-topics.ts'
import { deleteRecords } from './apis/21-delete-records.ts'
import { initProducerId } from './apis/22-init-producer-id.ts'
import { offsetForLeaderEpoch } from './apis/23-offset-for-leader-epoch.ts'
import { describeConfigs } from './apis/32-describe-configs.ts'
import { createPartitions } from './apis/37-create-partitions.ts'
import { deleteGroups } from './apis/42-delete-groups.ts'
import { incrementalAlterConfigs } from './apis/44-incremental-alter-configs.ts'
import { describeCluster } from './apis/60-describe-cluster.ts'
import type { Handler, RequestContext } from './handler.ts'
import type { Reply } from './reply-queue.ts'

/** Everything that the broker speaks. */
export const handlers: readonly Handler[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeConfigs,
  createPartitions,
  deleteGroups,
  incrementalAlterConfigs,
  describeCluster,
]

/** The APIs that are advertised, in the order of their keys. */
export const servedApis: readonly AnyApi[] = handlers.map(({ api }) => api)

/** A request that found its handler; its body is not decoded yet. */
export interface Routed {
  readonly header: RequestHeader
  readonly handler: Handler
  serve(context: RequestContext): Reply | Promise<Reply>
}

/**
 * Reads the header of a frame and finds who answers it.
 * @throws WireError for an API or a version that is not served, which closes the connection, as
 * Kafka does: the client would not understand any reply
 */
export function route(frame: Uint8Array): Routed {
  const reader = new Reader(frame)
  const header = readRequestHeader(reader)
  const handler = byKey.get(header.apiKey)
  if (handler === undefined) {
    throw new WireError('unsupported-version', `API ${header.apiKey} is not served`)
  }
  if (supportsVersion(handler.api, header.apiVersion)) {
    return { header, handler, serve: (context) => handler.serve(reader, header, context) }
  }
  if (header.apiKey === ApiVersions.key) {
    return { header, handler, serve: () => refuseApiVersions(header.correlationId) }
  }
  const { name, versions } = handler.api
  const served = `${versions[0]}–${versions[1]}`
  throw new WireError(
    'unsupported-version',
    `${name} version ${header.apiVersion} is not served (versions ${served} are)`,
  )
}

const byKey: ReadonlyMap<number, Handler> = new Map(
  handlers.map((handler) => [handler.api.key, handler]),
)

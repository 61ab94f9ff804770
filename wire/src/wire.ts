/** Kafka's protocol as data: bytes to typed messages, and back. */

export {
  type AnyApi,
  type Api,
  api,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type RequestEnvelope,
  type RequestInput,
  type RequestOf,
  type ResponseEnvelope,
  type ResponseInput,
  type ResponseOf,
  supportsVersion,
} from './api.ts'
export { apis } from './apis.ts'
export { type BatchOptions, encodeBatch, type RecordInput } from './batch-encoding.ts'
export { emptyBatch, type FilterOptions, filteredBatch } from './batch-filter.ts'
export {
  BatchHeader,
  batchHeaderBytes,
  batchMagic,
  batchOverheadBytes,
  type TimestampType,
} from './batch-header.ts'
export type { WireInput, WireValue } from './codec.ts'
export {
  type Compression,
  compressionNames,
  compressionOf,
  deflate,
  type InflateOptions,
  inflate,
} from './compression.ts'
export {
  ConsumerAssignment,
  ConsumerSubscription,
  decodeVersioned,
  encodeVersioned,
} from './consumer-protocol.ts'
export { crc32c } from './crc32c.ts'
export { type ErrorName, errorNameOf, errorOf, errors, type KafkaError } from './error-codes.ts'
export {
  type RequestHeader,
  readRequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeRequestHeader,
  writeResponseHeader,
} from './headers.ts'
export {
  type AnyMessage,
  isFlexible,
  type Message,
  message,
  supports,
  type VersionRange,
} from './message.ts'
export { Produce, type ProduceRequest, type ProduceResponse } from './messages/00-produce.ts'
export { Fetch, type FetchRequest, type FetchResponse } from './messages/01-fetch.ts'
export {
  ListOffsets,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
} from './messages/02-list-offsets.ts'
export { Metadata, type MetadataRequest, type MetadataResponse } from './messages/03-metadata.ts'
export {
  OffsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from './messages/08-offset-commit.ts'
export {
  OffsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from './messages/09-offset-fetch.ts'
export {
  FindCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from './messages/10-find-coordinator.ts'
export {
  JoinGroup,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from './messages/11-join-group.ts'
export {
  Heartbeat,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from './messages/12-heartbeat.ts'
export {
  LeaveGroup,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
} from './messages/13-leave-group.ts'
export {
  SyncGroup,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from './messages/14-sync-group.ts'
export {
  DescribeGroups,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from './messages/15-describe-groups.ts'
export {
  ListGroups,
  type ListGroupsRequest,
  type ListGroupsResponse,
} from './messages/16-list-groups.ts'
export {
  SaslHandshake,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from './messages/17-sasl-handshake.ts'
export {
  ApiVersions,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from './messages/18-api-versions.ts'
export {
  CreateTopics,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from './messages/19-create-topics.ts'
export {
  DeleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from './messages/20-delete-topics.ts'
export {
  DeleteRecords,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from './messages/21-delete-records.ts'
export {
  InitProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from './messages/22-init-producer-id.ts'
export {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from './messages/23-offset-for-leader-epoch.ts'
export {
  DescribeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from './messages/32-describe-configs.ts'
export {
  SaslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from './messages/36-sasl-authenticate.ts'
export {
  CreatePartitions,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from './messages/37-create-partitions.ts'
export {
  DeleteGroups,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
} from './messages/42-delete-groups.ts'
export {
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs.ts'
export {
  DescribeCluster,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from './messages/60-describe-cluster.ts'
export { Reader } from './reader.ts'
export {
  type BadBatch,
  type BatchOutcome,
  batchesIn,
  checkCrc,
  type HeaderOutcome,
  placeBatch,
  type RecordBatch,
  readBatch,
  readBatchHeader,
  sealBatch,
  stampLogAppendTime,
} from './record-batch.ts'
export { type KafkaRecord, type RecordHeader, recordsIn } from './records.ts'
export {
  array,
  between,
  boolean,
  bytes,
  float64,
  type InputOf,
  ignorable,
  int8,
  int16,
  int32,
  int64,
  nullable,
  nullableArray,
  nullableBytes,
  nullableSince,
  nullableString,
  records,
  type Shape,
  since,
  string,
  tagged,
  uint16,
  uint32,
  until,
  uuid,
  type ValueOf,
  withDefault,
  zeroUuid,
} from './schema.ts'
export { WireError, type WireErrorCode } from './wire-error.ts'
export { type Encoded, joined, Writer } from './writer.ts'

/**
 * Kafka's error codes, by name. On the wire an error is a number and nothing else:
 * `errorCode: errors.unknownTopicOrPartition.code`. The messages are ours, for logs and for the
 * fields in which a response may explain itself.
 */

export interface KafkaError {
  readonly code: number
  /** Whether Kafka's own clients send the same request again. */
  readonly retriable: boolean
  readonly message: string
}

export const errors = {
  unknownServerError: final(-1, 'the server failed in a way that it did not foresee'),
  none: final(0, 'no error'),
  offsetOutOfRange: final(
    1,
    'the partition has no such offset: it is below the start or beyond the end of the log',
  ),
  corruptMessage: retriable(
    2,
    'the record batch is damaged: its checksum, its length or its form is wrong',
  ),
  unknownTopicOrPartition: retriable(3, 'this server has no such topic or partition'),
  invalidFetchSize: final(4, 'the fetch size is invalid'),
  leaderNotAvailable: retriable(5, 'the partition has no leader at the moment'),
  notLeaderOrFollower: retriable(6, 'this broker is neither leader nor follower of the partition'),
  requestTimedOut: retriable(7, 'the request was not done within its time limit'),
  brokerNotAvailable: final(8, 'the broker is not available'),
  replicaNotAvailable: retriable(9, 'the replica is not available on this broker'),
  messageTooLarge: final(10, 'the record batch is larger than max.message.bytes allows'),
  staleControllerEpoch: final(11, 'a newer controller has taken over'),
  offsetMetadataTooLarge: final(
    12,
    'the metadata beside the offset is longer than offset.metadata.max.bytes allows',
  ),
  networkException: retriable(13, 'the connection ended before the response came'),
  coordinatorLoadInProgress: retriable(14, 'the coordinator is still reading its state'),
  coordinatorNotAvailable: retriable(15, 'there is no coordinator at the moment'),
  notCoordinator: retriable(16, 'this broker is not the coordinator of the group or transaction'),
  invalidTopicException: final(
    17,
    'the topic name is not allowed: 1–249 of letters, digits, ".", "_" and "-"',
  ),
  recordListTooLarge: final(18, 'the batches of the request are larger than a segment may be'),
  notEnoughReplicas: retriable(19, 'fewer replicas are in sync than min.insync.replicas asks for'),
  notEnoughReplicasAfterAppend: retriable(
    20,
    'the records were written, but to fewer replicas than min.insync.replicas asks for',
  ),
  invalidRequiredAcks: final(21, 'acks can only be -1, 0 or 1'),
  illegalGeneration: final(22, 'the generation is not the current one of the group'),
  inconsistentGroupProtocol: final(
    23,
    "the group's members have no protocol in common with this one",
  ),
  invalidGroupId: final(24, 'the group id is empty or not allowed'),
  unknownMemberId: final(25, 'the group has no such member'),
  invalidSessionTimeout: final(
    26,
    "the session timeout is outside the broker's group.min/max.session.timeout.ms",
  ),
  rebalanceInProgress: final(27, 'the group is rebalancing: the member must join again'),
  invalidCommitOffsetSize: final(28, 'the offset commit does not fit into a record batch'),
  topicAuthorizationFailed: final(29, 'not allowed to use the topic'),
  groupAuthorizationFailed: final(30, 'not allowed to use the group'),
  clusterAuthorizationFailed: final(31, 'not allowed to do this to the cluster'),
  invalidTimestamp: final(32, 'the timestamp of a record is out of the allowed range'),
  unsupportedSaslMechanism: final(33, 'the broker does not offer this SASL mechanism'),
  illegalSaslState: final(34, 'the request is not expected at this step of the SASL exchange'),
  unsupportedVersion: final(35, 'the broker does not speak this version of the API'),
  topicAlreadyExists: final(36, 'the topic exists already'),
  invalidPartitions: final(37, 'the number of partitions is invalid'),
  invalidReplicationFactor: final(
    38,
    'the replication factor is below 1 or above the number of brokers',
  ),
  invalidReplicaAssignment: final(39, 'the replica assignment is invalid'),
  invalidConfig: final(40, 'a config has a name or a value that is not allowed'),
  notController: retriable(41, 'this broker is not the controller'),
  invalidRequest: final(
    42,
    "the request contradicts itself or lacks something: the broker's log says more",
  ),
  unsupportedForMessageFormat: final(43, 'the message format of the topic does not support this'),
  policyViolation: final(44, "the broker's policy refuses the request"),
  outOfOrderSequenceNumber: final(45, 'a sequence number is missing before this batch'),
  duplicateSequenceNumber: final(46, 'this batch was appended before'),
  invalidProducerEpoch: final(47, 'a newer producer with the same id has taken over'),
  invalidTxnState: final(48, 'the transaction is not in a state that allows this'),
  invalidProducerIdMapping: final(49, 'the producer id does not belong to this transactional id'),
  invalidTransactionTimeout: final(
    50,
    'the transaction timeout is above transaction.max.timeout.ms',
  ),
  concurrentTransactions: retriable(51, 'another operation on this transaction is still under way'),
  transactionCoordinatorFenced: final(52, 'a newer transaction coordinator has taken over'),
  transactionalIdAuthorizationFailed: final(53, 'not allowed to use the transactional id'),
  securityDisabled: final(54, 'security features are switched off'),
  operationNotAttempted: final(55, 'not tried, because another part of the request failed'),
  kafkaStorageError: retriable(56, 'the disk failed or is full'),
  logDirNotFound: final(57, 'the broker has no such log directory'),
  saslAuthenticationFailed: final(
    58,
    'SASL authentication failed: the user name or the credential is wrong',
  ),
  unknownProducerId: final(59, 'the broker remembers nothing of this producer id'),
  reassignmentInProgress: final(60, 'the partitions are being reassigned'),
  delegationTokenAuthDisabled: final(61, 'delegation tokens are switched off'),
  delegationTokenNotFound: final(62, 'the broker has no such delegation token'),
  delegationTokenOwnerMismatch: final(63, 'the delegation token belongs to somebody else'),
  delegationTokenRequestNotAllowed: final(
    64,
    'delegation tokens are not allowed on this connection',
  ),
  delegationTokenAuthorizationFailed: final(65, 'not allowed to use the delegation token'),
  delegationTokenExpired: final(66, 'the delegation token has expired'),
  invalidPrincipalType: final(67, 'the principal type is not supported'),
  nonEmptyGroup: final(68, 'the group still has members'),
  groupIdNotFound: final(69, 'there is no such group'),
  fetchSessionIdNotFound: retriable(70, 'the broker has forgotten this fetch session'),
  invalidFetchSessionEpoch: retriable(71, 'the epoch of the fetch session is not the expected one'),
  listenerNotFound: retriable(
    72,
    'the leader has no listener of the name over which the request came',
  ),
  topicDeletionDisabled: final(73, 'deleting topics is switched off'),
  fencedLeaderEpoch: retriable(74, "the leader epoch is older than the broker's"),
  unknownLeaderEpoch: retriable(75, "the leader epoch is newer than the broker's"),
  unsupportedCompressionType: final(
    76,
    'the topic or this version of the API does not support the compression',
  ),
  staleBrokerEpoch: final(77, 'the broker epoch is an old one'),
  offsetNotAvailable: retriable(78, 'the leader does not know its high watermark yet'),
  memberIdRequired: final(79, 'the member must join again with the id that it was given'),
  preferredLeaderNotAvailable: retriable(80, 'the preferred leader is not available'),
  groupMaxSizeReached: final(81, 'the group has as many members as group.max.size allows'),
  fencedInstanceId: final(82, 'a newer member has taken over this group instance id'),
  eligibleLeadersNotAvailable: retriable(83, 'none of the eligible leaders is available'),
  electionNotNeeded: retriable(84, 'the partition has the wanted leader already'),
  noReassignmentInProgress: final(85, 'no reassignment is under way'),
  groupSubscribedToTopic: final(86, 'a member of the group is subscribed to the topic'),
  invalidRecord: final(87, 'a record is not allowed here'),
  unstableOffsetCommit: retriable(88, 'the offset may still change: a transaction is open'),
  throttlingQuotaExceeded: retriable(89, 'a quota is used up for now'),
  producerFenced: final(90, 'a newer producer with the same transactional id has taken over'),
  resourceNotFound: final(91, 'there is no such resource'),
  duplicateResource: final(92, 'the request names the same resource twice'),
  unacceptableCredential: final(93, 'the credential does not meet the requirements'),
  inconsistentVoterSet: final(94, 'the voters differ from those that the receiver knows'),
  invalidUpdateVersion: final(95, 'the version of the feature update is invalid'),
  featureUpdateFailed: final(96, 'the features could not be updated'),
  principalDeserializationFailure: final(
    97,
    'the principal of a forwarded request can not be read',
  ),
  snapshotNotFound: final(98, 'there is no such snapshot'),
  positionOutOfRange: final(99, 'the position is outside the snapshot'),
  unknownTopicId: retriable(100, 'this server has no topic with this id'),
  duplicateBrokerRegistration: final(101, 'a broker with this id is registered already'),
  brokerIdNotRegistered: final(102, 'no broker with this id is registered'),
  inconsistentTopicId: retriable(103, 'the topic has another id on this broker'),
  inconsistentClusterId: final(104, 'the request is meant for another cluster'),
  transactionalIdNotFound: final(105, 'there is no such transactional id'),
  fetchSessionTopicIdError: retriable(
    106,
    'the topics of a fetch session must be named all by id or all by name',
  ),
  ineligibleReplica: final(107, 'the replica may not join the in-sync replicas'),
  newLeaderElected: final(108, 'a new leader was elected meanwhile'),
  offsetMovedToTieredStorage: final(109, 'the data has moved to tiered storage'),
  fencedMemberEpoch: final(
    110,
    'the member epoch is fenced: the member must leave its partitions and join again',
  ),
  unreleasedInstanceId: final(111, 'another member still holds this group instance id'),
  unsupportedAssignor: final(112, 'the broker does not offer this assignor'),
  staleMemberEpoch: final(113, 'the member epoch is an old one'),
  mismatchedEndpointType: final(
    114,
    'the endpoint is a broker where a controller was meant, or the other way round',
  ),
  unsupportedEndpointType: final(115, 'the endpoint type is not supported'),
  unknownControllerId: final(116, 'no controller with this id is known'),
  unknownSubscriptionId: final(117, 'the telemetry subscription is not known'),
  telemetryTooLarge: final(118, 'the telemetry is too large'),
  invalidRegistration: final(119, 'the registration of the controller is invalid'),
  transactionAbortable: final(120, 'the transaction failed and must be aborted'),
  invalidRecordState: final(121, 'the record is not in a state that allows this'),
  shareSessionNotFound: retriable(122, 'the broker has forgotten this share session'),
  invalidShareSessionEpoch: retriable(
    123,
    'the epoch of the share session is not the expected one',
  ),
  fencedStateEpoch: final(124, 'the state epoch is an old one'),
  invalidVoterKey: final(125, 'the voter key is not that of the receiver'),
  duplicateVoter: final(126, 'the voter is in the set already'),
  voterNotFound: final(127, 'the voter is not in the set'),
  invalidRegularExpression: final(128, 'the regular expression is invalid'),
  rebootstrapRequired: final(129, 'the client must start again from its bootstrap servers'),
  streamsInvalidTopology: final(130, 'the streams topology is invalid'),
  streamsInvalidTopologyEpoch: final(131, 'the epoch of the streams topology is invalid'),
  streamsTopologyFenced: final(132, 'the epoch of the streams topology is an old one'),
  shareSessionLimitReached: retriable(133, 'no more share sessions are allowed at the moment'),
} satisfies Readonly<Record<string, KafkaError>>

export type ErrorName = keyof typeof errors

/** The error with that code; a code that Kafka does not have is the unknown server error. */
export function errorOf(code: number): KafkaError {
  return byCode.get(code)?.error ?? errors.unknownServerError
}

/** The code's name as Kafka's documentation writes it: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function errorNameOf(code: number): string {
  return byCode.get(code)?.name ?? `UNKNOWN_CODE_${code}`
}

const byCode: ReadonlyMap<number, { readonly name: string; readonly error: KafkaError }> = new Map(
  Object.entries(errors).map(([key, error]) => [error.code, { name: screaming(key), error }]),
)

function retriable(code: number, message: string): KafkaError {
  return { code, retriable: true, message }
}

function final(code: number, message: string): KafkaError {
  return { code, retriable: false, message }
}

function screaming(camelCase: string): string {
  return camelCase.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

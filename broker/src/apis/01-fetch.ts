// Fetch reads batches from partitions, and waits when there are too few.
//
// - v4 aborted transactions: there are none.
// - v7 sessions (KIP-227): every answer says session 0, which tells the client to send full
//   requests; an incremental request is answered with FETCH_SESSION_ID_NOT_FOUND.
// - v9 the client's leader epoch is compared with the only one there is.
// - v13 topics are named by id.
// - Not here: followers (KIP-392), diverging epochs (KIP-595), tiered storage.

import {
  errors,
  Fetch,
  type FetchRequest,
  type KafkaError,
  type ResponseInput,
} from '@millrace/wire'
import { handler, type RequestContext } from '../handler.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import { fetchBytesMax, fetchPartitionBytesMax } from '../limits.ts'
import type { PartitionLog } from '../log/partition-log.ts'

type Response = ResponseInput<typeof Fetch>
type TopicResponse = Response['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]
type PartitionRequest = FetchRequest['topics'][number]['partitions'][number]

/** One partition of the request, and its log or why there is none. */
type Target =
  | { readonly kind: 'log'; readonly wanted: PartitionRequest; readonly log: PartitionLog }
  | { readonly kind: 'refused'; readonly wanted: PartitionRequest; readonly errorCode: number }

interface TopicTargets {
  readonly topic: string
  readonly topicId: string
  readonly targets: readonly Target[]
}

/** Its connection waits with it, so that a wait and what is read after it are one at a time. */
export const fetch = handler(
  Fetch,
  (request, context) => {
    const sessionError = sessionErrorOf(request)
    if (sessionError !== undefined) {
      return { throttleTimeMs: 0, errorCode: sessionError.code, sessionId: 0, responses: [] }
    }
    const topics = request.topics.map((topic) => targetsOf(topic, context))
    const isEnough = (): boolean => isReady(request, topics)
    if (request.maxWaitMs <= 0 || isEnough()) return read(request, topics, context)
    return context.broker.waitingFetches
      .wait({
        logs: topics.flatMap(({ targets }) => logsOf(targets)),
        isEnough,
        maxWaitMs: request.maxWaitMs,
        onDisconnect: (act) => context.onDisconnect(act),
      })
      .then(() =>
        read(
          request,
          request.topics.map((topic) => targetsOf(topic, context)),
          context,
        ),
      )
  },
  { holdsConnection: true },
)

function sessionErrorOf({ sessionId, sessionEpoch }: FetchRequest): KafkaError | undefined {
  if (sessionEpoch <= 0) return undefined
  return sessionId === 0 ? errors.invalidFetchSessionEpoch : errors.fetchSessionIdNotFound
}

function targetsOf(
  wanted: FetchRequest['topics'][number],
  { broker, apiVersion }: RequestContext,
): TopicTargets {
  const byId = apiVersion >= 13
  const topic = byId ? broker.topics.byId(wanted.topicId) : broker.topics.byName(wanted.topic)
  const unknown = byId ? errors.unknownTopicId : errors.unknownTopicOrPartition
  const targets = wanted.partitions.map((partition): Target => {
    const refused = (error: KafkaError): Target => ({
      kind: 'refused',
      wanted: partition,
      errorCode: error.code,
    })
    const log = topic?.partitions[partition.partition]
    if (topic === undefined) return refused(unknown)
    if (log === undefined) return refused(errors.unknownTopicOrPartition)
    if (partition.currentLeaderEpoch > leaderEpoch) return refused(errors.unknownLeaderEpoch)
    return { kind: 'log', wanted: partition, log }
  })
  return { topic: wanted.topic, topicId: wanted.topicId, targets }
}

function logsOf(targets: readonly Target[]): PartitionLog[] {
  return targets.flatMap((target) => (target.kind === 'log' ? [target.log] : []))
}

/** Enough bytes, or something that the client should hear of at once. */
function isReady({ minBytes, maxBytes }: FetchRequest, topics: readonly TopicTargets[]): boolean {
  const bytesWanted = Math.min(minBytes, maxBytes)
  let bytes = 0
  let count = 0
  for (const { targets } of topics) {
    for (const target of targets) {
      if (target.kind === 'refused') return true
      const { log, wanted } = target
      if (wanted.fetchOffset < log.logStartOffset || wanted.fetchOffset > log.logEndOffset) {
        return true
      }
      count += 1
      bytes += log.bytesReadable(wanted.fetchOffset, wanted.partitionMaxBytes)
      if (bytes >= bytesWanted) return true
    }
  }
  return count === 0
}

function read(
  request: FetchRequest,
  topics: readonly TopicTargets[],
  context: RequestContext,
): Response {
  const budget = { bytes: Math.min(request.maxBytes, fetchBytesMax), isUntouched: true }
  const aborted = request.isolationLevel === 1 ? [] : null
  return {
    throttleTimeMs: 0,
    sessionId: 0,
    responses: topics.map(({ topic, topicId, targets }) => ({
      topic,
      topicId,
      partitions: targets.map((target) => ({
        abortedTransactions: aborted,
        ...(target.kind === 'refused'
          ? failed(target.wanted.partition, target.errorCode)
          : readPartition(target, budget, context)),
      })),
    })),
  }
}

/** What the reply may still take. The first batch of a reply is taken whatever its size. */
interface Budget {
  bytes: number
  isUntouched: boolean
}

type PartitionRead = Omit<PartitionResponse, 'abortedTransactions'>

const noRecords = new Uint8Array(0)

function readPartition(
  { wanted, log }: Extract<Target, { kind: 'log' }>,
  budget: Budget,
  context: RequestContext,
): PartitionRead {
  const state = {
    partitionIndex: wanted.partition,
    highWatermark: log.highWatermark,
    lastStableOffset: log.highWatermark,
    logStartOffset: log.logStartOffset,
  }
  const bytesMax = Math.min(wanted.partitionMaxBytes, budget.bytes, fetchPartitionBytesMax)
  const outcome = log.read(wanted.fetchOffset, Math.max(bytesMax, 0), {
    firstBatchWhole: budget.isUntouched,
  })
  if (outcome.kind === 'outOfRange') {
    return { ...state, errorCode: errors.offsetOutOfRange.code, records: noRecords }
  }
  if (outcome.kind === 'failed') return failed(wanted.partition, outcome.errorCode)
  const { batches } = outcome
  context.borrow(() => batches.release())
  if (batches.bytes.byteLength > 0) budget.isUntouched = false
  budget.bytes -= batches.bytes.byteLength
  return { ...state, errorCode: errors.none.code, records: batches.bytes }
}

function failed(partitionIndex: number, errorCode: number): PartitionRead {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1n,
    lastStableOffset: -1n,
    logStartOffset: -1n,
    records: noRecords,
  }
}

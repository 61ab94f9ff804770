// Produce appends batches to partitions.
//
// The batches are views of the read buffer and are neither decoded nor copied: the log places them
// and writes them when the turn is committed. acks=1 and acks=all are answered alike, when the
// batch is stored as the flush policy promises. acks=0 gets no reply; a failure closes its
// connection, as in Kafka, so that the producer looks the partition up again.
//
// - v0–2 are advertised for the feature tests of old clients, and answered with
//   UNSUPPORTED_VERSION (KAFKA-18659).
// - v3 batches of magic 2 only, one for each partition.
// - v7 zstd is allowed.
// - v8 says why a batch was refused.
// - Not here: transactions. A transactional id is refused.

import { errors, Produce, type ProduceRequest, type ResponseInput } from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { PartitionLog, Placement, StorageLevel } from '../log/partition-log.ts'
import { noReply } from '../reply-queue.ts'

type Response = ResponseInput<typeof Produce>
type PartitionData = ProduceRequest['topicData'][number]['partitionData'][number]

/** What became of one partition's batch. Only a placed one still waits to be stored. */
type Outcome =
  | { readonly kind: 'placed'; readonly log: PartitionLog; readonly placed: Placement }
  | Refused

interface Refused {
  readonly kind: 'refused'
  readonly errorCode: number
  readonly message: string
}

interface Target {
  readonly topic: string
  readonly index: number
  outcome: Outcome
}

export const produce = handler(Produce, (request, context) => {
  const targets = appendAll(request, context)
  if (request.acks === 0) {
    for (const { topic, index, outcome } of targets) {
      if (outcome.kind === 'placed') continue
      throw new Error(`acks=0, and ${topic}-${index} refused the batch: ${outcome.message}`)
    }
    return noReply // C4
  }
  return whenStored(targets, context.broker)
})

function appendAll(request: ProduceRequest, context: RequestContext): Target[] {
  const refused = refusalOf(request, context)
  const targets: Target[] = []
  const named = new Set<string>()
  for (const { name: topic, partitionData } of request.topicData) {
    for (const data of partitionData) {
      const place = `${topic}-${data.index}`
      // A second batch could undo the first on a full disk, before anybody asked what became of it.
      const twice = named.has(place) ? refusal(errors.invalidRequest) : undefined
      named.add(place)
      const outcome = refused ?? twice ?? append(topic, data, context)
      targets.push({ topic, index: data.index, outcome })
    }
  }
  return targets
}

function refusalOf(request: ProduceRequest, context: RequestContext): Refused | undefined {
  if (context.apiVersion < 3) return refusal(errors.unsupportedVersion)
  if (request.transactionalId !== null) return refusal(errors.transactionalIdAuthorizationFailed)
  if (request.acks < -1 || request.acks > 1) return refusal(errors.invalidRequiredAcks)
  return undefined
}

function append(topic: string, data: PartitionData, context: RequestContext): Outcome {
  const { broker, apiVersion } = context
  const log = broker.topics.byName(topic)?.partitions[data.index]
  if (log === undefined) return refusal(errors.unknownTopicOrPartition)
  if (data.records === null) return refusal(errors.invalidRecord)
  const outcome = log.append(data.records, { zstdAllowed: apiVersion >= 7 })
  if (outcome.kind === 'rejected') {
    return { kind: 'refused', errorCode: outcome.errorCode, message: outcome.message }
  }
  return { kind: 'placed', log, placed: outcome.placed }
}

function whenStored(targets: readonly Target[], broker: BrokerParts): Promise<Response> | Response {
  const level: StorageLevel = broker.logs.flusher.policy === 'ack' ? 'durable' : 'written'
  const { promise, resolve } = Promise.withResolvers<Response>()
  let waiting = 0
  for (const target of targets) {
    const { outcome } = target
    if (outcome.kind === 'refused') continue
    waiting += 1
    outcome.log.onStored(outcome.placed.lastOffset, level, (stored) => {
      if (stored.kind === 'failed') target.outcome = { ...stored, kind: 'refused' }
      waiting -= 1
      if (waiting === 0) resolve(responseOf(targets))
    })
  }
  return waiting === 0 ? responseOf(targets) : promise
}

function responseOf(targets: readonly Target[]): Response {
  const byTopic = Map.groupBy(targets, ({ topic }) => topic)
  return {
    responses: [...byTopic].map(([name, partitions]) => ({
      name,
      partitionResponses: partitions.map(({ index, outcome }) =>
        outcome.kind === 'placed'
          ? {
              index,
              errorCode: errors.none.code,
              baseOffset: outcome.placed.baseOffset,
              logAppendTimeMs: outcome.placed.logAppendTimeMs,
              logStartOffset: outcome.log.logStartOffset,
            }
          : {
              index,
              errorCode: outcome.errorCode,
              baseOffset: -1n,
              errorMessage: outcome.message,
            },
      ),
    })),
  }
}

function refusal({ code, message }: { code: number; message: string }): Refused {
  return { kind: 'refused', errorCode: code, message }
}

import type { Attributes } from '@opentelemetry/api'
import type { Environment } from '../environment.ts'

/**
 * OpenTelemetry's names for messaging, as its conventions have them now (they are still in
 * development). Many backends know the former ones: `OTEL_SEMCONV_STABILITY_OPT_IN=messaging/dup`
 * has both. Keys of records are left out, because they may be personal.
 */
export interface MessagingFacts {
  readonly operation: 'create' | 'send' | 'process'
  readonly topic: string
  readonly partition?: number
  readonly offset?: number
  readonly group?: string
  readonly messageId?: string
  readonly conversationId?: string
  readonly messages?: number
  readonly errorType?: string
}

/** Makes attributes of facts. */
export type DescribeMessaging = (facts: MessagingFacts) => Attributes

export function messagingAttributes(env: Environment): DescribeMessaging {
  const optIns = env['OTEL_SEMCONV_STABILITY_OPT_IN']?.split(',').map((one) => one.trim()) ?? []
  return optIns.includes('messaging/dup')
    ? (facts) => ({ ...formerNames(facts), ...currentNames(facts) })
    : currentNames
}

function currentNames(facts: MessagingFacts): Attributes {
  const { operation, topic, partition, offset, group, messageId, conversationId } = facts
  return defined({
    'messaging.system.name': 'kafka',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
    'messaging.consumer.group.name': group,
    'messaging.message.id': messageId,
    'messaging.message.conversation_id': conversationId,
    'messaging.batch.message_count': facts.messages,
    'kafka.offset': offset,
    'error.type': facts.errorType,
  })
}

function formerNames({ operation, partition, offset, group }: MessagingFacts): Attributes {
  return defined({
    'messaging.system': 'kafka',
    'messaging.operation': operation,
    'messaging.kafka.destination.partition': partition,
    'messaging.kafka.message.offset': offset,
    'messaging.kafka.consumer.group': group,
  })
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
}

import { lagToldMin } from '../limits.ts'
import type { OutboxHealth } from '../outbox/outbox-health.ts'
import type { ServiceHealth } from '../server.ts'

/** What `/health/kafka` answers: plain JSON, for people and for monitors. */
export interface KafkaReport {
  /**
   * `up`; `degraded` where events wait though Kafka answers (an outage, a refused event, a lost
   * group); `down` where it does not; `disabled` by KAFKA_ENABLED=false.
   */
  readonly status: 'up' | 'degraded' | 'down' | 'disabled'
  readonly cluster: { readonly clusterId: string } | null
  /** The service's consumer group; empty for a service that listens to nothing. */
  readonly groups: readonly GroupReport[]
  readonly outbox: OutboxHealth
  /** Why it is not up, and what helps. */
  readonly reason: string | null
  readonly hint: string | null
}

export interface GroupReport {
  readonly group: string
  /** Records that the group has not passed yet, in all. */
  readonly lag: number
  readonly partitions: readonly PartitionReport[]
  /** Events in memory, and keys that a dead letter holds back. */
  readonly events: number
  readonly heldKeys: number
  readonly outages: readonly { readonly subscription: string; readonly reason: string }[]
}

export interface PartitionReport {
  readonly topic: string
  readonly partition: number
  /** Null where the group has committed nothing yet. */
  readonly committed: number | null
  readonly end: number
  readonly lag: number
}

export function kafkaReport(health: ServiceHealth): KafkaReport {
  const { kafka, outbox } = health
  const base = {
    cluster: kafka.kind === 'met' ? { clusterId: kafka.clusterId } : null,
    groups: groupsOf(health),
    outbox,
  }
  switch (kafka.kind) {
    case 'disabled':
      return {
        ...base,
        status: 'disabled',
        reason: 'KAFKA_ENABLED is false',
        hint: 'Events are kept in the outbox; unset KAFKA_ENABLED to send and hear them.',
      }
    case 'away':
      return {
        ...base,
        status: 'down',
        reason: kafka.reason,
        hint:
          'Check that Kafka is running, and the KAFKA_BROKERS variable. Requests are taken ' +
          'meanwhile: the outbox keeps their events.',
      }
    case 'met': {
      const trouble = troubleOf(health)
      if (trouble !== null) return { ...base, status: 'degraded', ...trouble }
      return { ...base, status: 'up', ...delayOf(base.groups) }
    }
    default:
      return kafka satisfies never
  }
}

interface Trouble {
  readonly reason: string | null
  readonly hint: string | null
}

/** The first thing that keeps events waiting though Kafka answers. */
function troubleOf({ kafka, consumer, outbox }: ServiceHealth): Trouble | null {
  const [outage] = consumer?.outages ?? []
  if (outage !== undefined) {
    return {
      reason: `"${outage.subscription}" waits for an outage to end: ${outage.reason}`,
      hint: 'Look at what its handler depends on. It probes by itself, and nothing is lost.',
    }
  }
  const [refused] = kafka.kind === 'met' ? kafka.refused.values() : []
  if (refused !== undefined) {
    return { reason: refused, hint: 'Events of these topics wait in the outbox; others are sent.' }
  }
  const [held] = outbox.held
  if (held !== undefined) {
    return {
      reason: `Kafka refuses an event on "${held.topic}": ${held.message}`,
      hint: 'Events of its key wait behind it. Check the topic, its limits and the ACLs.',
    }
  }
  const trouble = consumer?.trouble ?? null
  if (trouble === null) return null
  return { reason: trouble, hint: 'It joins its group again by itself; see the log.' }
}

/** Being behind is no trouble by itself: only who watches it grow can tell. */
function delayOf(groups: readonly GroupReport[]): Trouble {
  const lag = groups.reduce((sum, group) => sum + group.lag, 0)
  if (lag < lagToldMin) return { reason: null, hint: null }
  return {
    reason: `the group is ${lag} records behind`,
    hint: 'If it grows, look for a slow handler; keys run at once, so that more of them help.',
  }
}

function groupsOf({ consumer, group, lag }: ServiceHealth): readonly GroupReport[] {
  if (consumer === null) return []
  const partitions = lag.map((at) => ({
    topic: at.topic,
    partition: at.partition,
    committed: at.committed === null ? null : Number(at.committed),
    end: Number(at.end),
    lag: Number(at.lag),
  }))
  return [
    {
      group,
      lag: partitions.reduce((sum, at) => sum + at.lag, 0),
      partitions,
      events: consumer.events,
      heldKeys: consumer.heldKeys,
      outages: consumer.outages.map(({ subscription, reason }) => ({ subscription, reason })),
    },
  ]
}

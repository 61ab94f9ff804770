import type { Pause } from '../control/pauses.ts'
import type { JobStatus } from '../job/job.ts'
import { lagToldMin } from '../limits.ts'
import type { OutboxHealth } from '../outbox/outbox-health.ts'
import type { ProjectionStatus } from '../projection/projections.ts'
import type { ServiceHealth } from './service-health.ts'

/** What `/health/kafka` answers: plain JSON, for people and for monitors. */
export interface KafkaReport {
  /**
   * `up`; `degraded` where events wait though Kafka answers (a database that does not, an outage, a pause, a refused
   * event, a lost group), or records were lost before they were heard; `down` where Kafka does not answer;
   * `disabled` by KAFKA_ENABLED=false.
   */
  readonly status: 'up' | 'degraded' | 'down' | 'disabled'
  readonly cluster: { readonly clusterId: string } | null
  /** The service's consumer group; empty for a service that listens to nothing. */
  readonly groups: readonly GroupReport[]
  readonly outbox: OutboxHealth
  /** How many events are put aside, by state. */
  readonly deadLetters: Readonly<Record<string, number>>
  /** What operators have asked for and is under way: redrives, replays, rebuilds. */
  readonly jobs: readonly JobStatus[]
  readonly projections: readonly ProjectionStatus[]
  /** Why it is not up, and what helps. */
  readonly reason: string | null
  readonly hint: string | null
}

export interface GroupReport {
  readonly group: string
  /** Records that the group has not passed yet, in all; null where Kafka does not tell. */
  readonly lag: number | null
  readonly partitions: readonly PartitionReport[]
  /** Events in memory, and keys that a dead letter holds back. */
  readonly events: number
  readonly heldKeys: number
  readonly outages: readonly { readonly subscription: string; readonly reason: string }[]
  /** Handlers that somebody has paused. */
  readonly paused: readonly Pause[]
  /** Handlers that do not come back, though their signal has fired. */
  readonly overdue: readonly { readonly subscription: string; readonly since: string }[]
}

export interface PartitionReport {
  readonly topic: string
  readonly partition: number
  /** Null where the group has committed nothing yet. */
  readonly committed: number | null
  /** The first record that retention has left, and where the next will go. */
  readonly start: number
  readonly end: number
  readonly lag: number
}

export function kafkaReport(health: ServiceHealth): KafkaReport {
  const { kafka, outbox, deadLetters } = health
  const base = {
    cluster: kafka.kind === 'met' ? { clusterId: kafka.clusterId } : null,
    groups: groupsOf(health),
    outbox,
    deadLetters: Object.fromEntries(deadLetters),
    jobs: health.jobs,
    projections: health.projections,
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
      return { ...base, status: 'up', ...delayOf(health) }
    }
    default:
      return kafka satisfies never
  }
}

interface Trouble {
  readonly reason: string | null
  readonly hint: string | null
}

/** The first thing that keeps events waiting, or has lost them, though Kafka answers. */
function troubleOf(health: ServiceHealth): Trouble | null {
  const { kafka, consumer, outbox, storeUnknown } = health
  if (storeUnknown !== null) {
    return {
      reason: `the database does not answer: ${storeUnknown}`,
      hint:
        'Check the database, and DATABASE_URL. Nothing is lost: events are heard again, and how ' +
        'many are in the outbox or put aside is not known meanwhile.',
    }
  }
  const lost = lossOf(health)
  if (lost !== null) return lost
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
  const [topic] = consumer?.topics ?? []
  if (topic !== undefined) {
    return { reason: topic.message, hint: 'The other topics are read as they should be.' }
  }
  const [overdue] = consumer?.overdue ?? []
  if (overdue !== undefined) {
    return {
      reason: `the handler of "${overdue.subscription}" does not come back after its time`,
      hint: 'Its key waits, and its place among the handlers is taken: let it heed its signal.',
    }
  }
  const [paused] = consumer?.paused ?? []
  if (paused !== undefined) return pauseOf(paused)
  const stuck = health.projections.find(({ trouble }) => trouble !== null)
  if (stuck !== undefined) {
    return {
      reason: `projection "${stuck.name}" waits: ${stuck.trouble}`,
      hint: 'What is shown is as it was before. It tries again by itself.',
    }
  }
  const trouble = consumer?.trouble ?? null
  if (trouble === null) return null
  return { reason: trouble, hint: 'It joins its group again by itself; see the log.' }
}

function pauseOf({ subscription, askedBy, since }: Pause): Trouble {
  return {
    reason: `"${subscription}" was paused by ${askedBy} at ${since}`,
    hint: 'Its events wait in Kafka, for as long as the topic keeps them; millrace resume goes on.',
  }
}

/** Records that retention removed before the group had passed them: the one loss that is real. */
function lossOf({ lag }: ServiceHealth): Trouble | null {
  const lost = lag.filter(({ committed, start }) => committed !== null && committed < start)
  const [first] = lost
  if (first === undefined) return null
  const records = lost.reduce((sum, { committed, start }) => sum + (start - (committed ?? 0n)), 0n)
  return {
    reason:
      `up to ${records} records of "${first.topic}"${lost.length > 1 ? ' and others' : ''} were ` +
      'removed by retention before the group had read them',
    hint:
      'The topic keeps its records for a shorter time than the service was behind. Raise its ' +
      'retention.ms, and look for why the service was away or slow.',
  }
}

/** Being behind is no trouble by itself; falling behind is what somebody should look at. */
function delayOf(health: ServiceHealth): Trouble {
  const { lag, lagUnknown, lagGrowth, slowest } = health
  if (lagUnknown !== null) {
    return { reason: lagUnknown, hint: 'Events may flow all the same; Kafka is slow to answer.' }
  }
  const records = lag.reduce((sum, at) => sum + at.lag, 0n)
  if (lagGrowth !== null) {
    return {
      reason: `the group is ${records} records behind, ${Math.round(lagGrowth)} more each second`,
      hint: `${slowestOf(health)}Start more instances, as many as there are partitions at most.`,
    }
  }
  if (records < BigInt(lagToldMin)) return { reason: null, hint: null }
  const hint = 'It does not grow, so that it will be worked off. Keys run at once.'
  return {
    reason: `the group is ${records} records behind`,
    hint: slowest === null ? hint : `${slowestOf(health)}${hint}`,
  }
}

function slowestOf({ slowest }: ServiceHealth): string {
  if (slowest === null) return ''
  const { event, averageMs } = slowest
  return `The slowest handler is that of "${event}": ${Math.round(averageMs)} ms on average. `
}

function groupsOf({ consumer, group, lag, lagUnknown }: ServiceHealth): readonly GroupReport[] {
  if (consumer === null) return []
  const partitions = lag.map((at) => ({
    topic: at.topic,
    partition: at.partition,
    committed: at.committed === null ? null : Number(at.committed),
    start: Number(at.start),
    end: Number(at.end),
    lag: Number(at.lag),
  }))
  return [
    {
      group,
      lag: lagUnknown === null ? partitions.reduce((sum, at) => sum + at.lag, 0) : null,
      partitions,
      events: consumer.events,
      heldKeys: consumer.heldKeys,
      paused: consumer.paused,
      outages: consumer.outages.map(({ subscription, reason }) => ({ subscription, reason })),
      overdue: consumer.overdue.map(({ subscription, sinceMs }) => ({
        subscription,
        since: new Date(sinceMs).toISOString(),
      })),
    },
  ]
}

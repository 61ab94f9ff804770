import { isObject } from '../catalogue/json-value.ts'
import type { KafkaReport } from '../health/kafka-report.ts'

/** One instance of a service, as it tells of itself on `millrace.services`. */
export interface ServiceRecord {
  readonly version: 1
  readonly service: string
  readonly instance: string
  /** `stopped` after a clean stop. One that was killed stays `up`, and beats no more. */
  readonly state: 'up' | 'stopped'
  readonly host: string
  readonly pid: number
  /** Of Node and the kit. */
  readonly node: string
  readonly kit: string
  /** When it started, and when it told this; RFC 3339. */
  readonly since: string
  readonly at: string
  /** It tells again after this, at the latest, as long as it lives. */
  readonly beatMs: number
  /** Where its servers listen. */
  readonly urls: readonly string[]
  /** The events that it has said, as far as it knows. */
  readonly publishes: readonly string[]
  readonly subscribes: readonly { readonly event: string; readonly topic: string }[]
  readonly group: string
  /** Partitions of its group that this instance reads. */
  readonly partitions: number
  /** Records that the group has not passed yet; null where it is not known. */
  readonly lag: number | null
  readonly health: KafkaReport['status']
  readonly reason: string | null
  readonly unsent: number
  readonly oldestUnsentMs: number | null
  /** How many events are put aside, by state. */
  readonly deadLetters: Readonly<Record<string, number>>
  /** Handlers that somebody has paused, and jobs that are under way; an older kit tells neither. */
  readonly paused?: readonly string[]
  readonly jobs?: readonly { readonly id: string; readonly kind: string }[]
  /** Projections that are rebuilt at the moment. */
  readonly rebuilding?: readonly string[]
}

export function writeServiceRecord(record: ServiceRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record))
}

/** Reads a record of any version of the kit; null where it is none. */
export function readServiceRecord(value: Uint8Array): ServiceRecord | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(value))
  } catch {
    return null
  }
  return isServiceRecord(parsed) ? parsed : null
}

const texts = ['service', 'instance', 'state', 'host', 'since', 'at', 'group', 'health'] as const
const numbers = ['pid', 'beatMs', 'partitions', 'unsent'] as const
const lists = ['urls', 'publishes', 'subscribes'] as const

function isServiceRecord(value: unknown): value is ServiceRecord {
  return (
    isObject(value) &&
    texts.every((name) => typeof value[name] === 'string') &&
    numbers.every((name) => typeof value[name] === 'number') &&
    lists.every((name) => Array.isArray(value[name])) &&
    isObject(value['deadLetters'])
  )
}

/**
 * What is known of an instance now: one that has not told of itself for three of its beats was
 * killed, or cannot reach Kafka.
 */
export function livenessOf(
  { state, at, beatMs }: ServiceRecord,
  nowMs: number,
): 'up' | 'stopped' | 'silent' {
  if (state === 'stopped') return 'stopped'
  return nowMs - Date.parse(at) > 3 * beatMs ? 'silent' : 'up'
}

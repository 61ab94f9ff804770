import type { StandardSchemaV1 } from '@standard-schema/spec'
import { baseEventJson } from '../catalogue/base-event-json.ts'
import { type Catalogue, defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { isObject } from '../catalogue/json-value.ts'
import type { Clock, Random } from '../clock.ts'
import type { Correlation } from '../correlation.ts'
import { newEventId } from '../event-id.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { UnwrittenRow } from '../outbox/place.ts'
import type { TopicRequest } from '../transport/transport.ts'
import type { AnyProcessManager } from './process-manager.ts'
import type { TimerSetting } from './process-step.ts'

/**
 * A timer of a process that fires is an event like any other, on a topic of its service's own,
 * keyed by the process: so it is retried, parked, redriven, traced and heard once like any other.
 */

/** What a fired timer says. */
export interface TimerPayload {
  readonly process: string
  readonly processId: string
  readonly timer: string
  /** Which setting of the timer it is: see `stepProcess`, M3. */
  readonly setting: number
  readonly dueAtMs: number
  readonly data: unknown
}

export function timersTopic(service: string): string {
  return `millrace.timers.${service}`
}

/** The topic of a service's timers, spread as widely as its catalogue; none without processes. */
export function timerTopics({ name, catalogue, processes }: TimedService): TopicRequest[] {
  if (processes.length === 0) return []
  const partitions = Math.max(1, ...catalogue.topics.map((request) => request.partitions))
  return [{ topic: timersTopic(name), partitions }]
}

export interface TimedService {
  readonly name: string
  readonly catalogue: Catalogue
  readonly processes: readonly AnyProcessManager[]
}

export function timerEventName(process: string): string {
  return `millrace.timer.${process}`
}

/** The timers of a service, as events: one kind for each of its processes. */
export function timersCatalogue(service: string, processes: readonly string[]): Catalogue {
  const definition = event<TimerPayload>({
    version: '1.0',
    topic: timersTopic(service),
    key: ({ payload }) => timerKey(payload),
    payload: timerPayload,
  })
  const events = processes.map((process) => [timerEventName(process), definition] as const)
  return defineCatalogue(`timers of ${service}`, Object.fromEntries(events))
}

export interface TimerRowOptions {
  readonly service: string
  readonly source: string
  readonly process: string
  readonly processId: string
  readonly correlation: Correlation
  readonly clock: Clock
  readonly random: Random
}

/** A timer as it enters the outbox when it fires. */
export function timerRow(
  { name: timer, setting, dueAtMs, data }: TimerSetting,
  options: TimerRowOptions,
): UnwrittenRow {
  const { service, source, process, processId, correlation, clock, random } = options
  const { correlationId, causationId, traceparent } = correlation
  const payload: TimerPayload = { process, processId, timer, setting, dueAtMs, data }
  const envelope = {
    eventId: newEventId(clock.nowMs(), random),
    eventType: timerEventName(process),
    timestamp: new Date(dueAtMs).toISOString(),
    version: '1.0',
    source,
    correlationId,
    causationId,
    metadata: {},
  }
  const key = timerKey(payload)
  return {
    event_id: envelope.eventId,
    event_type: envelope.eventType,
    topic: timersTopic(service),
    stream: timersTopic(service),
    key,
    hash: keyHash(key),
    value: baseEventJson.encode({ envelope, fields: {}, payload }),
    headers: JSON.stringify({
      id: envelope.eventId,
      type: envelope.eventType,
      source,
      version: envelope.version,
      correlationId,
      ...(causationId === null ? {} : { causationId }),
      ...(traceparent === null ? {} : { traceparent }),
    }),
    timestamp_ms: dueAtMs,
  }
}

/** Reads the payload of a timer that fired; null where it is none. */
export function timerPayloadOf(value: unknown): TimerPayload | null {
  if (!isObject(value)) return null
  const { process, processId, timer, setting, dueAtMs, data } = value
  const isTimer =
    typeof process === 'string' &&
    typeof processId === 'string' &&
    typeof timer === 'string' &&
    typeof setting === 'number' &&
    typeof dueAtMs === 'number'
  return isTimer ? { process, processId, timer, setting, dueAtMs, data } : null
}

const timerPayload: StandardSchemaV1<unknown, TimerPayload> = {
  '~standard': {
    version: 1,
    vendor: 'millrace',
    validate(value) {
      const payload = timerPayloadOf(value)
      return payload === null ? { issues: [{ message: 'it is no timer' }] } : { value: payload }
    },
  },
}

function timerKey({ process, processId }: TimerPayload): string {
  return `${process}/${processId}`
}

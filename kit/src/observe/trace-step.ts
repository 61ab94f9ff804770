import { isObject } from '../catalogue/json-value.ts'
import type { DeadLetterState } from '../store/tables/dead-letters.ts'

/** What happened to an event. `docs/observing.md` says what each step tells. */
export type StepKind =
  | 'said'
  | 'sent'
  | 'heard'
  | 'returned'
  | 'repeated'
  | 'rejected'
  | 'started'
  | 'ended'
  | 'effect'
  | 'delayed'
  | 'parked'
  | 'redriven'
  | 'discarded'
  | 'settled'

/**
 * One step of an event's life, under the names that it has on `millrace.traces`. Never a payload
 * or a key; a reason is what an error said, cut short.
 */
export interface TraceStep {
  readonly step: StepKind
  /** By the clock of the service that tells it. */
  readonly atMs: number
  /** The event's id. */
  readonly id: string
  /** The correlation id; for an event without one, its own id. */
  readonly chain: string
  /** The id of the event or command that caused it. */
  readonly cause?: string
  readonly type?: string
  /** Who said the event, as far as the teller knows. */
  readonly source?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** The record's own time. */
  readonly recordedAtMs?: number
  readonly attempt?: number
  readonly tookMs?: number
  readonly outcome?: string
  readonly reason?: string
  /** Of an effect. */
  readonly name?: string
  /** Of a dead letter, and when it is tried again by itself. */
  readonly state?: DeadLetterState
  readonly dueAtMs?: number
}

/** One record of `millrace.traces`: what one instance of a service saw, oldest first. */
export interface TraceBatch {
  readonly version: 1
  readonly service: string
  readonly instance: string
  readonly steps: readonly TraceStep[]
  /** Steps that were left out since the batch before, because there were too many. */
  readonly dropped: number
}

export function writeTraceBatch(batch: TraceBatch): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(batch))
}

/** Reads a batch of any version of the kit; null where it is none. */
export function readTraceBatch(value: Uint8Array): TraceBatch | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(value))
  } catch {
    return null
  }
  if (!isObject(parsed)) return null
  const { service, instance, steps, dropped } = parsed
  if (typeof service !== 'string' || !Array.isArray(steps)) return null
  return {
    version: 1,
    service,
    instance: typeof instance === 'string' ? instance : '',
    steps: steps.filter(isStep),
    dropped: typeof dropped === 'number' ? dropped : 0,
  }
}

const texts = ['cause', 'type', 'source', 'topic', 'outcome', 'reason', 'name', 'state'] as const
const numbers = ['partition', 'offset', 'recordedAtMs', 'attempt', 'tookMs', 'dueAtMs'] as const

/** Members that we know have their types; a later version may have more of them. */
function isStep(value: unknown): value is TraceStep {
  if (!isObject(value)) return false
  return (
    ['step', 'id', 'chain'].every((name) => typeof value[name] === 'string') &&
    Number.isFinite(value['atMs']) &&
    texts.every((name) => isAbsentOr(value[name], 'string')) &&
    numbers.every((name) => isAbsentOr(value[name], 'number'))
  )
}

function isAbsentOr(value: unknown, type: 'string' | 'number'): boolean {
  return value === undefined || typeof value === type
}

import type { TraceStep } from '@millrace/kit'

/** A step, and the service that tells it. */
export interface ToldStep extends TraceStep {
  readonly by: string
}

/** One event of a chain, and what became of it. */
export interface TracedEvent {
  readonly id: string
  /** Null where no step that is left says it. */
  readonly type: string | null
  readonly saidBy: string | null
  readonly saidAtMs: number | null
  readonly topic: string | null
  /** What caused it, where that is not in the tree: a command, or an event without steps. */
  readonly missingCause: string | null
  /** From its commit to Kafka having it; null where that is not known. */
  readonly outboxMs: number | null
  /** Where no service is known to have heard it: whether Kafka has it. */
  readonly isSent: boolean
  readonly hearings: readonly Hearing[]
  /** Events that it caused in services of which no hearing is left. */
  readonly caused: readonly TracedEvent[]
}

/** What one service did with an event. */
export interface Hearing {
  readonly service: string
  readonly outcome: HearingOutcome
  /** From Kafka having it to the service; never below 0, whatever the clocks say. */
  readonly kafkaMs: number | null
  /** The clocks of two services disagree, so that `kafkaMs` is a guess. */
  readonly isSkewed: boolean
  /** From its arrival to its first attempt. */
  readonly queueMs: number | null
  /** In the handler, all attempts together. */
  readonly handlerMs: number
  /** Between attempts. */
  readonly retryMs: number
  readonly attempts: readonly TracedAttempt[]
  /** Effects, letters, redrives: in the order in which they happened. */
  readonly notes: readonly ToldStep[]
  readonly caused: readonly TracedEvent[]
}

export interface TracedAttempt {
  readonly number: number
  readonly startedAtMs: number
  /** Null while it runs, or where its end was never told. */
  readonly tookMs: number | null
  readonly outcome: string | null
  readonly reason: string | null
}

export type HearingOutcome =
  | 'handled'
  | 'repeated'
  | 'rejected'
  | 'discarded'
  | 'failed'
  /** Put aside: parked, behind, waiting, skipped. */
  | 'parked'
  /** A handler runs, or its service ended in the middle of it. */
  | 'running'
  | 'queued'

/**
 * Builds the trees of one chain by causation: under each event the services that heard it, under
 * each of those the events that it said because of it. Steps may be missing, and come
 * in any order. Roots, and the events under one cause, stand in the order of their first steps.
 */
export function eventTrees(steps: readonly ToldStep[]): readonly TracedEvent[] {
  const byEvent = Map.groupBy(steps, ({ id }) => id)
  const facts = [...byEvent].map(([id, own]) => factsOf(id, own))
  const causes = new Map(facts.map(({ id, cause }) => [id, cause]))
  const known = facts.sort((a, b) => a.firstAtMs - b.firstAtMs)
  const isRoot = ({ id, cause }: EventFacts) => cause === null || !causes.has(cause) || isLooped(id)
  // Who says that it caused itself, by whatever detour, stands at the top: a tree has no circles.
  function isLooped(id: string): boolean {
    const seen = new Set<string>()
    for (let at: string | null = id; at !== null; at = causes.get(at) ?? null) {
      if (seen.has(at)) return seen.size > 0 && at === id
      seen.add(at)
    }
    return false
  }
  const childrenOf = Map.groupBy(
    known.filter((event) => !isRoot(event)),
    ({ cause }) => cause,
  )
  function build(facts: EventFacts): TracedEvent {
    const children = (childrenOf.get(facts.id) ?? []).map((child) => ({
      by: child.saidBy,
      event: build(child),
    }))
    const services = new Set(facts.hearings.map(({ service }) => service))
    return {
      id: facts.id,
      type: facts.type,
      saidBy: facts.saidBy,
      saidAtMs: facts.saidAtMs,
      topic: facts.topic,
      missingCause: isRoot(facts) ? facts.cause : null,
      outboxMs: facts.outboxMs,
      isSent: facts.isSent,
      hearings: facts.hearings.map((hearing) => ({
        ...hearing,
        caused: children.filter(({ by }) => by === hearing.service).map(({ event }) => event),
      })),
      caused: children
        .filter(({ by }) => by === null || !services.has(by))
        .map(({ event }) => event),
    }
  }
  return known.filter(isRoot).map(build)
}

interface EventFacts extends Omit<TracedEvent, 'missingCause' | 'hearings' | 'caused'> {
  readonly cause: string | null
  readonly firstAtMs: number
  readonly hearings: readonly Omit<Hearing, 'caused'>[]
}

function factsOf(id: string, steps: readonly ToldStep[]): EventFacts {
  const inOrder = [...steps].sort((a, b) => a.atMs - b.atMs)
  const said = inOrder.find(({ step }) => step === 'said')
  const sent = inOrder.find(({ step }) => step === 'sent')
  const first = <Value>(pick: (step: ToldStep) => Value | undefined): Value | null => {
    for (const step of inOrder) {
      const value = pick(step)
      if (value !== undefined) return value
    }
    return null
  }
  const heard = Map.groupBy(
    inOrder.filter(({ step }) => step !== 'said' && step !== 'sent'),
    ({ by }) => by,
  )
  const saidAtMs = said?.atMs ?? first(({ recordedAtMs }) => recordedAtMs)
  return {
    id,
    type: first(({ type }) => type),
    saidBy: said?.by ?? sent?.by ?? first(({ source }) => source),
    saidAtMs,
    topic: first(({ topic }) => topic),
    cause: first(({ cause }) => cause),
    outboxMs: said === undefined || sent === undefined ? null : between(said, sent),
    isSent: sent !== undefined || heard.size > 0,
    firstAtMs: saidAtMs ?? inOrder[0]?.atMs ?? 0,
    hearings: [...heard].map(([service, own]) => hearingOf(service, own, sent)),
  }
}

const noted = new Set(['effect', 'delayed', 'parked', 'redriven', 'discarded', 'rejected'])

function hearingOf(
  service: string,
  steps: readonly ToldStep[],
  sent: ToldStep | undefined,
): Omit<Hearing, 'caused'> {
  const heard = steps.find(({ step }) => step === 'heard')
  const attempts = attemptsOf(steps)
  const [first] = attempts
  const last = attempts.at(-1)
  const handlerMs = attempts.reduce((sum, { tookMs }) => sum + (tookMs ?? 0), 0)
  const spanMs =
    first === undefined || last === undefined
      ? 0
      : last.startedAtMs + (last.tookMs ?? 0) - first.startedAtMs
  const kafkaMs = heard === undefined || sent === undefined ? null : heard.atMs - sent.atMs
  return {
    service,
    outcome: outcomeOf(steps, attempts),
    kafkaMs: kafkaMs === null ? null : Math.max(0, kafkaMs),
    isSkewed: kafkaMs !== null && kafkaMs < 0,
    queueMs:
      heard === undefined || first === undefined
        ? null
        : Math.max(0, first.startedAtMs - heard.atMs),
    handlerMs,
    retryMs: Math.max(0, spanMs - handlerMs),
    attempts,
    notes: steps.filter(({ step }) => noted.has(step)),
  }
}

/** A start and an end belong together by their number, in the order in which they were told. */
function attemptsOf(steps: readonly ToldStep[]): readonly TracedAttempt[] {
  const attempts: TracedAttempt[] = []
  for (const { step, attempt: number = 1, atMs, tookMs = 0, outcome, reason } of steps) {
    if (step === 'started') {
      attempts.push({ number, startedAtMs: atMs, tookMs: null, outcome: null, reason: null })
    } else if (step === 'ended') {
      const open = attempts.findLastIndex((one) => one.number === number && one.tookMs === null)
      const startedAtMs = attempts[open]?.startedAtMs ?? atMs - tookMs
      const ended = {
        number,
        startedAtMs,
        tookMs,
        outcome: outcome ?? null,
        reason: reason ?? null,
      }
      if (open === -1) attempts.push(ended)
      else attempts[open] = ended
    }
  }
  return attempts.sort((a, b) => a.startedAtMs - b.startedAtMs)
}

function outcomeOf(steps: readonly ToldStep[], attempts: readonly TracedAttempt[]): HearingOutcome {
  const told = (step: ToldStep['step']) => steps.findLastIndex((one) => one.step === step)
  if (attempts.some(({ outcome }) => outcome === 'handled')) return 'handled'
  if (told('discarded') !== -1) return 'discarded'
  if (told('rejected') !== -1) return 'rejected'
  const hasRepeat = attempts.some(({ outcome }) => outcome === 'repeat') || told('repeated') !== -1
  const last = attempts.at(-1)
  if (last !== undefined && last.tookMs === null && told('parked') < told('started')) {
    return 'running'
  }
  if (told('parked') > told('redriven')) return 'parked'
  if (hasRepeat) return 'repeated'
  if (last !== undefined) return 'failed'
  return told('settled') === -1 ? 'queued' : 'repeated'
}

function between(from: TraceStep, to: TraceStep): number {
  return Math.max(0, to.atMs - from.atMs)
}

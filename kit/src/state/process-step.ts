import type { AnyEvent } from '../catalogue/catalogue.ts'
import { MillraceError } from '../errors.ts'
import { decisionItemsMax } from '../limits.ts'
import { dueTimeOf } from '../schedule/due-time.ts'
import type {
  AnyProcessChange,
  AnyProcessDecision,
  AnyProcessManager,
  AnyProcessStep,
  FiredTimer,
  ProcessStatus,
  ProcessView,
} from './process-manager.ts'
import type { AnySaid } from './said.ts'

/**
 * What one event or timer does to one process: pure and synchronous. The kit runs it inside the
 * handler's transaction, and `given … when … then` runs the very same.
 *
 * M1. A compensation is published once, when its step goes from done to undoing or undone.
 * M2. Steps are undone from the last to the first; none before the one after it is undone.
 * M3. A timer that fires is heard only if its setting is the one that is set.
 * M4. A process that has ended sets no timers, and has none.
 */

/** A process between two events. */
export interface ProcessInstance {
  readonly id: string
  readonly status: ProcessStatus
  readonly state: unknown
  readonly steps: readonly StepRecord[]
  /** The number of the setting of each timer that is set, by name. */
  readonly timers: Readonly<Record<string, number>>
  /** Timers that were ever set: the last one's number. */
  readonly timersSet: number
  /** Why it compensates, or null. */
  readonly reason: string | null
  /** What is said when all is undone. */
  readonly afterwards: readonly AnySaid[]
}

/** A step that was done, and how far it is undone. */
export interface StepRecord {
  readonly step: string
  readonly undo: AnySaid | null
  readonly undoneBy: string | null
  readonly progress: 'done' | 'undoing' | 'undone'
}

export type ProcessInput =
  | { readonly kind: 'event'; readonly event: AnyEvent }
  | { readonly kind: 'timer'; readonly timer: FiredTimer<string>; readonly setting: number }

export interface TimerSetting {
  readonly name: string
  readonly setting: number
  readonly dueAtMs: number
  readonly data: unknown
}

/** What is to happen, all in one transaction. */
export interface ProcessEffects {
  readonly instance: ProcessInstance
  readonly publish: readonly AnySaid[]
  readonly set: readonly TimerSetting[]
  readonly cancel: readonly string[]
}

export type ProcessOutcome =
  /** Nothing changed: a process that was not there still is not. */
  { readonly kind: 'ignored' } | ({ readonly kind: 'changed' } & ProcessEffects)

/** A process that has heard nothing yet. */
export function newInstance(manager: AnyProcessManager, id: string): ProcessInstance {
  return {
    id,
    status: 'running',
    state: manager.initial(id),
    steps: [],
    timers: {},
    timersSet: 0,
    reason: null,
    afterwards: [],
  }
}

/** Throws what the manager's functions throw, `schedule-invalid` and `state-invalid`. */
export function stepProcess(
  manager: AnyProcessManager,
  before: ProcessInstance,
  { input, nowMs }: { readonly input: ProcessInput; readonly nowMs: number },
): ProcessOutcome {
  if (before.status === 'ended') return stepEnded(manager, before, { input, nowMs })
  const heard = input.kind === 'timer' ? withoutTimer(before, input) : undoneBy(before, input.event)
  if (heard === null) return { kind: 'ignored' }
  const decision = decide(manager, heard, { input, nowMs })
  if (decision.kind === 'ignore' && heard === before) return { kind: 'ignored' }
  checkSize(manager, decision)
  return { kind: 'changed', ...applied(manager, heard, { decision, nowMs }) }
}

function stepEnded(
  manager: AnyProcessManager,
  instance: ProcessInstance,
  { input, nowMs }: { readonly input: ProcessInput; readonly nowMs: number },
): ProcessOutcome {
  if (input.kind === 'timer') return { kind: 'ignored' } // M3, M4
  const rule = manager.late.get(input.event.eventType)
  if (rule === undefined) return { kind: 'ignored' }
  const decision = rule.decide(instance.state, input.event, viewOf(instance, nowMs))
  const { state = instance.state, publish = [] } = decision
  return { kind: 'changed', instance: { ...instance, state }, publish, set: [], cancel: [] }
}

/** M3: null for a timer that is not set any more, or was set anew. */
function withoutTimer(
  instance: ProcessInstance,
  { timer, setting }: Extract<ProcessInput, { kind: 'timer' }>,
): ProcessInstance | null {
  const { [timer.name]: current, ...timers } = instance.timers
  return current === setting ? { ...instance, timers } : null
}

/** Notes that the last step that waits for this event is undone. */
function undoneBy(instance: ProcessInstance, { eventType }: AnyEvent): ProcessInstance {
  const at = instance.steps.findLastIndex(
    (step) => step.progress === 'undoing' && step.undoneBy === eventType,
  )
  if (at === -1) return instance
  const steps = instance.steps.map((step, index) =>
    index === at ? { ...step, progress: 'undone' as const } : step,
  )
  return { ...instance, steps }
}

function decide(
  manager: AnyProcessManager,
  instance: ProcessInstance,
  { input, nowMs }: { readonly input: ProcessInput; readonly nowMs: number },
): AnyProcessDecision {
  const view = viewOf(instance, nowMs)
  if (input.kind === 'timer') {
    const rule = manager.timers.get(input.timer.name)
    return rule?.decide(instance.state, input.timer, view) ?? { kind: 'ignore' }
  }
  const rule = manager.events.get(input.event.eventType)
  return rule?.decide(instance.state, input.event, view) ?? { kind: 'ignore' }
}

function viewOf({ id, status, steps }: ProcessInstance, nowMs: number): ProcessView {
  const done = steps.filter(({ progress }) => progress === 'done').map(({ step }) => step)
  return { id, status, nowMs, steps: done }
}

function applied(
  manager: AnyProcessManager,
  before: ProcessInstance,
  { decision, nowMs }: { readonly decision: AnyProcessDecision; readonly nowMs: number },
): ProcessEffects {
  const change: AnyProcessChange = decision.kind === 'ignore' ? {} : decision
  const { publish = [], done = [], cancel = [] } = change
  const changed: ProcessInstance = {
    ...before,
    ...('state' in change && change.state !== undefined ? { state: change.state } : {}),
    ...compensating(before, decision),
    steps: withDone(before.steps, done),
  }
  if (decision.kind === 'end') return ended(changed, publish)
  const undone = changed.status === 'compensating' ? undoSteps(changed) : null
  if (undone?.isComplete === true) {
    return ended(undone.instance, [...publish, ...undone.publish, ...changed.afterwards])
  }
  const { instance = changed } = undone ?? {}
  const set = settingsOf(manager, { instance, change, nowMs })
  return {
    instance: { ...instance, ...timersAfter(instance, { set, cancel }) },
    publish: [...publish, ...(undone?.publish ?? [])],
    set,
    cancel: cancel.filter((name) => !set.some((setting) => setting.name === name)),
  }
}

function compensating(
  { status }: ProcessInstance,
  decision: AnyProcessDecision,
): Partial<ProcessInstance> {
  if (decision.kind !== 'compensate' || status !== 'running') return {}
  const { reason, afterwards = [] } = decision
  return { status: 'compensating', reason, afterwards }
}

/** A step that is told twice is one. */
function withDone(
  steps: readonly StepRecord[],
  done: readonly AnyProcessStep[],
): readonly StepRecord[] {
  const all = [...steps]
  for (const { step, undo, undoneBy: undoing } of done) {
    if (all.some((known) => known.step === step)) continue
    all.push({ step, undo, undoneBy: undoing ?? null, progress: 'done' })
  }
  return all
}

/** M1, M2: from the last, as far as nothing must be waited for. */
function undoSteps(instance: ProcessInstance) {
  const steps = [...instance.steps]
  const publish: AnySaid[] = []
  let isComplete = true
  for (let at = steps.length - 1; at >= 0 && isComplete; at -= 1) {
    const step = steps[at]
    if (step === undefined || step.progress === 'undone') continue
    if (step.progress === 'done' && step.undo !== null) publish.push(step.undo)
    isComplete = step.undo === null || step.undoneBy === null
    steps[at] = { ...step, progress: isComplete ? 'undone' : 'undoing' }
  }
  return { instance: { ...instance, steps }, publish, isComplete }
}

/** M4 */
function ended(instance: ProcessInstance, publish: readonly AnySaid[]): ProcessEffects {
  return {
    instance: { ...instance, status: 'ended', timers: {} },
    publish,
    set: [],
    cancel: Object.keys(instance.timers),
  }
}

interface SettingsOptions {
  readonly instance: ProcessInstance
  readonly change: AnyProcessChange
  readonly nowMs: number
}

function settingsOf(
  manager: AnyProcessManager,
  { instance, change: { timers = [] }, nowMs }: SettingsOptions,
): readonly TimerSetting[] {
  // Of one name only the last counts, as if the others had been replaced.
  const last = new Map(timers.map((timer) => [timer.name, timer]))
  return [...last.values()].map((timer, index) => {
    const { name, data = null } = timer
    const what = `timer "${name}" of process "${manager.name}"`
    if (!manager.timers.has(name)) {
      throw new MillraceError('definition-invalid', `${what} has no onTimer`)
    }
    const dueAtMs = dueTimeOf(what, timer, nowMs) ?? nowMs
    return { name, setting: instance.timersSet + index + 1, dueAtMs, data }
  })
}

function timersAfter(
  { timers, timersSet }: ProcessInstance,
  changes: { readonly set: readonly TimerSetting[]; readonly cancel: readonly string[] },
): Pick<ProcessInstance, 'timers' | 'timersSet'> {
  const kept = Object.entries(timers).filter(([name]) => !changes.cancel.includes(name))
  const set = changes.set.map(({ name, setting }) => [name, setting] as const)
  return {
    timers: Object.fromEntries([...kept, ...set]),
    timersSet: timersSet + changes.set.length,
  }
}

function checkSize(manager: AnyProcessManager, decision: AnyProcessDecision): void {
  if (decision.kind === 'ignore') return
  const { publish = [], timers = [], done = [] } = decision
  const items = publish.length + timers.length + done.length
  if (items <= decisionItemsMax) return
  throw new MillraceError(
    'state-invalid',
    `process "${manager.name}" decided on ${items} events, timers and steps at once, and the ` +
      `limit is ${decisionItemsMax}`,
  )
}

/* oxlint-disable unicorn/no-thenable -- it reads as a sentence, and refuses an await */
import assert from 'node:assert/strict'
import {
  type AnyEvent,
  type AnySaid,
  type Catalogue,
  newInstance,
  type ProcessInput,
  type ProcessInstance,
  type ProcessManager,
  type ProcessOutcome,
  type ProcessStatus,
  type Said,
  stepProcess,
  type TimerSetting,
} from '@millrace/kit'
import { writePlainJson } from '@millrace/kit/inside'
import { refuseAwait } from './refuse-await.ts'

/** What a process hears in a test: an event of the catalogue, or one of its timers. */
export type HeardByProcess<C extends Catalogue, Timer extends string> =
  | Said<C>
  | { readonly timer: Timer }

/** A process as it is, in place of what it has heard. */
export interface GivenProcess<State, Timer extends string> {
  readonly state: State
  /** Default: running. */
  readonly status?: ProcessStatus
  /** The timers that are set, due now. Default: none. */
  readonly timers?: readonly Timer[]
}

export type GivenHistory<C extends Catalogue, State, Timer extends string> = (
  history: readonly HeardByProcess<C, Timer>[] | GivenProcess<State, Timer>,
) => {
  /** What it hears. A timer fires at the time that it was set to. */
  when(heard: HeardByProcess<C, Timer>): DecidedProcess<C, State, Timer>
}

/** What is to come of it; what is left out of the last four is not looked at. */
export interface ExpectedProcess<C extends Catalogue, State, Timer extends string> {
  /** In this order. Default: nothing. */
  readonly published?: readonly Said<C>[]
  /** The timers that were set. Default: none. */
  readonly timers?: readonly ExpectedTimer<Timer>[]
  readonly cancelled?: readonly Timer[]
  readonly state?: State
  readonly status?: ProcessStatus
  /** The steps that are done and not undone. */
  readonly steps?: readonly string[]
}

export interface ExpectedTimer<Timer extends string> {
  readonly name: Timer
  readonly afterMs: number
  readonly data?: unknown
}

/** What came of it. A `then` throws an `AssertionError` that shows the difference. */
export interface DecidedProcess<C extends Catalogue, State, Timer extends string> {
  then(expected: ExpectedProcess<C, State, Timer>): void
  /** Nothing at all changes; a process that was not there does not begin. */
  thenIgnored(): void
}

export interface SpecifyOptions {
  /** Of the aggregate or the process. Default: `1`. */
  readonly id?: string
  /** When the test begins. Default: the first of January 2026. */
  readonly nowMs?: number
}

/**
 * A process manager in tests, without a store: `given(heard).when(heard).then(…)`. It takes the
 * same steps as the kit, compensation included; whose an event is (`id`) is not asked.
 */
export function specifyProcess<C extends Catalogue, State, Timer extends string>(
  manager: ProcessManager<C, State, Timer>,
  { id = '1', nowMs = Date.UTC(2026, 0, 1) }: SpecifyOptions = {},
): GivenHistory<C, State, Timer> {
  return (history) => {
    const subject = new Subject(manager, newInstance(manager, id), nowMs)
    if (isHistory(history)) for (const heard of history) subject.hear(heard)
    else subject.become(history)
    return {
      when(heard) {
        const outcome = subject.hear(heard)
        return {
          // biome-ignore lint/suspicious/noThenProperty: a sentence, and it refuses an await.
          then(expected) {
            refuseAwait(expected)
            assert.deepEqual(told(outcome, subject, expected), wanted(expected))
          },
          thenIgnored() {
            assert.deepEqual(outcome, { kind: 'ignored' })
          },
        }
      },
    }
  }
}

function isHistory<C extends Catalogue, State, Timer extends string>(
  given: readonly HeardByProcess<C, Timer>[] | GivenProcess<State, Timer>,
): given is readonly HeardByProcess<C, Timer>[] {
  return Array.isArray(given)
}

/** The process under test, and its time. */
class Subject<C extends Catalogue, State, Timer extends string> {
  readonly #manager: ProcessManager<C, State, Timer>
  readonly #set = new Map<string, TimerSetting>()
  #events = 0
  instance: ProcessInstance
  nowMs: number

  constructor(manager: ProcessManager<C, State, Timer>, instance: ProcessInstance, nowMs: number) {
    this.#manager = manager
    this.instance = instance
    this.nowMs = nowMs
  }

  become({ state, status = 'running', timers = [] }: GivenProcess<State, Timer>): void {
    const set = timers.map((name, index) => ({ name, setting: index + 1 }))
    for (const timer of set)
      this.#set.set(timer.name, { ...timer, dueAtMs: this.nowMs, data: null })
    this.instance = {
      ...this.instance,
      state,
      status,
      timers: Object.fromEntries(set.map(({ name, setting }) => [name, setting])),
      timersSet: set.length,
    }
  }

  hear(heard: HeardByProcess<C, Timer>): ProcessOutcome {
    const input = 'timer' in heard ? this.#fire(heard.timer) : this.#event(heard)
    const outcome = stepProcess(this.#manager, this.instance, { input, nowMs: this.nowMs })
    if (outcome.kind === 'changed') {
      this.instance = outcome.instance
      writePlainJson(`the state of process "${this.#manager.name}"`, this.instance.state)
      for (const timer of outcome.set) this.#set.set(timer.name, timer)
    }
    return outcome
  }

  #fire(name: Timer): ProcessInput {
    const set = this.#set.get(name)
    if (set === undefined || this.instance.timers[name] !== set.setting) {
      throw new Error(`timer "${name}" is not set, so it cannot fire`)
    }
    const { setting, dueAtMs, data } = set
    this.nowMs = Math.max(this.nowMs, dueAtMs)
    return { kind: 'timer', setting, timer: { name, data, dueAtMs } }
  }

  #event({ name, body, metadata = {} }: AnySaid): ProcessInput {
    const route = this.#manager.catalogue.routes.get(name)
    this.#events += 1
    const event: AnyEvent = {
      payload: null,
      ...(typeof body === 'object' ? body : {}),
      eventId: `event-${this.#events}`,
      eventType: name,
      timestamp: new Date(this.nowMs).toISOString(),
      version: route?.definition.version ?? '1.0',
      source: null,
      correlationId: 'correlation-1',
      causationId: null,
      metadata,
    }
    return { kind: 'event', event }
  }
}

/** What happened, as far as it is looked at, in the shape of what was expected. */
function told<C extends Catalogue, State, Timer extends string>(
  outcome: ProcessOutcome,
  { instance, nowMs }: Subject<C, State, Timer>,
  expected: ExpectedProcess<C, State, Timer>,
) {
  const { publish, set, cancel } =
    outcome.kind === 'changed' ? outcome : { publish: [], set: [], cancel: [] }
  const done = instance.steps.filter(({ progress }) => progress === 'done')
  return {
    published: publish,
    timers: set.map(({ name, dueAtMs, data }) => timerOf(name, dueAtMs - nowMs, data)),
    ...('cancelled' in expected ? { cancelled: cancel } : {}),
    ...('state' in expected ? { state: instance.state } : {}),
    ...('status' in expected ? { status: instance.status } : {}),
    ...('steps' in expected ? { steps: done.map(({ step }) => step) } : {}),
  }
}

function wanted<C extends Catalogue, State, Timer extends string>(
  expected: ExpectedProcess<C, State, Timer>,
) {
  const { published = [], timers = [], ...others } = expected
  return {
    published,
    timers: timers.map(({ name, afterMs, data = null }) => timerOf(name, afterMs, data)),
    ...others,
  }
}

function timerOf(name: string, afterMs: number, data: unknown) {
  return { name, afterMs, ...(data === null ? {} : { data }) }
}

import type { AnyEvent } from '../catalogue/catalogue.ts'
import { MillraceError } from '../errors.ts'
import type { EventSubscription } from '../inbox/subscription.ts'
import { aggregateIdLengthMax } from '../limits.ts'
import type { UntypedHandlerContext } from '../untyped.ts'
import type { ProcessPlace } from './process-door.ts'
import type { AnyProcessManager } from './process-manager.ts'
import { forgetNew, lockProcess, saveProcess } from './process-rows.ts'
import { type ProcessInput, stepProcess } from './process-step.ts'
import {
  type TimedService,
  timerEventName,
  timerPayloadOf,
  timersCatalogue,
  timersTopic,
} from './timer-event.ts'

/**
 * How a service's processes hear: as handlers do, each event once, in one transaction with the
 * process's row, what it says and its timers. The row is locked before the decision and written
 * after it, so events of one process that come over several topics take turns.
 */
export async function hearEvent(
  { manager, service }: HearingProcess,
  event: AnyEvent,
  context: UntypedHandlerContext,
): Promise<void> {
  const id = manager.events.get(event.eventType)?.id(event) ?? null
  if (id === null) return
  const place = { service, process: manager.name, processId: checkedId(manager, id) }
  await hear(manager, place, { input: { kind: 'event', event }, context })
}

/** A process manager, and the service that it belongs to. */
export interface HearingProcess {
  readonly manager: AnyProcessManager
  readonly service: string
}

/** What a service's processes listen to beside the catalogue's events. */
export function timerSubscriptions({ name, processes }: TimedService): EventSubscription[] {
  const names = processes.map((manager) => manager.name)
  const catalogue = timersCatalogue(name, names)
  const topic = timersTopic(name)
  return processes.map((manager) => ({
    name: timerEventName(manager.name),
    topic,
    stream: topic,
    catalogue,
    options: manager.handling,
    concerns: () => true,
    async handle({ payload }, context) {
      const fired = timerPayloadOf(payload)
      if (fired === null) return undefined
      const { timer: timerName, data, dueAtMs, setting, processId } = fired
      const timer = { name: timerName, data, dueAtMs }
      const place = { service: name, process: manager.name, processId }
      await hear(manager, place, { input: { kind: 'timer', timer, setting }, context })
      return undefined
    },
  }))
}

interface Hearing {
  readonly input: ProcessInput
  readonly context: UntypedHandlerContext
}

/** Locks, decides, writes: one delivery. */
async function hear(
  manager: AnyProcessManager,
  place: ProcessPlace,
  { input, context }: Hearing,
): Promise<void> {
  const { db, process: door } = context
  const nowMs = door.nowMs()
  const id = place.processId
  const { correlationId } = door
  const locked = await lockProcess(db, { manager, id }, { correlationId, nowMs })
  const outcome = stepProcess(manager, locked.instance, { input, nowMs })
  if (outcome.kind === 'ignored') {
    if (locked.isNew) await forgetNew(db, manager, id)
    return
  }
  const { instance, publish, set, cancel } = outcome
  await saveProcess(db, { manager, instance, version: locked.version }, nowMs)
  for (const { name, body, metadata } of publish) {
    await context.publish(name, body, metadata === undefined ? {} : { metadata })
  }
  for (const timer of cancel) await door.cancelTimer(place, timer)
  for (const timer of set) door.setTimer(place, timer)
}

function checkedId(manager: AnyProcessManager, given: string | number): string {
  const id = String(given)
  if (id.length > 0 && id.length <= aggregateIdLengthMax) return id
  throw new MillraceError(
    'state-invalid',
    `an id of process "${manager.name}" has ${id.length} characters; it may have 1 to ` +
      `${aggregateIdLengthMax}`,
  )
}

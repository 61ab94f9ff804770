import type { BatchLimits } from './batch-handler.ts'
import { MillraceError } from './errors.ts'
import type { HandlerOptions } from './handler.ts'
import { batchEventsMax, batchWaitMsMax } from './inbox/limits.ts'
import { handlersRunningMax } from './limits.ts'

interface Declared {
  readonly options: HandlerOptions
  readonly batch?: BatchLimits
}

/** Throws `definition-invalid`, with all that is wrong, where a handler's options cannot hold. */
export function checkOptions(whose: string, { options, batch }: Declared): void {
  const { concurrency = 1, timeoutMs = 1, retry: { attemptsMax = 1 } = {} } = options
  const { sizeMax = 1, waitMsMax = 0 } = batch ?? {}
  const { topics = [] } = options.retry ?? {}
  const ranges = [
    { name: 'concurrency', value: concurrency, min: 1, max: handlersRunningMax },
    { name: 'timeoutMs', value: timeoutMs, min: 1, max: timerMsMax },
    { name: 'retry.attemptsMax', value: attemptsMax, min: 1, max: Number.MAX_SAFE_INTEGER },
    { name: 'sizeMax', value: sizeMax, min: 1, max: batchEventsMax },
    { name: 'waitMsMax', value: waitMsMax, min: 0, max: batchWaitMsMax },
    ...topics.map((value) => ({ name: 'a delay of retry.topics', value, min: 1, max: timerMsMax })),
  ]
  const issues = ranges
    .filter(({ value, min, max }) => !Number.isSafeInteger(value) || value < min || value > max)
    .map(({ name, value, min, max }) => `${name} is ${value}, and must be ${min} to ${max}`)
  if (topics.length > 0 && options.onExhausted !== 'skip') {
    issues.push("retry.topics lets events of a key overtake each other: say onExhausted: 'skip'")
  }
  if (new Set(topics).size < topics.length) issues.push('retry.topics has a delay twice')
  if (issues.length === 0) return
  throw new MillraceError('definition-invalid', `${whose}: ${issues.join('; ')}`, { issues })
}

/** A timer of a longer time fires at once (Node's limit: 2³¹ − 1 ms). */
const timerMsMax = 2_147_483_647

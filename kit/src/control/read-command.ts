// Commands and answers that come from elsewhere, checked member by member.

import { isObject } from '../catalogue/json-value.ts'
import { isRfc3339 } from '../catalogue/read-record.ts'
import { isTarget, targetIssue } from '../dead-letter/letter-query.ts'
import type { ReplayPoint, ReplayRequest } from '../replay/replay.ts'
import type {
  Checked,
  Command,
  CommandAnswer,
  CommandFrame,
  CommandOutcome,
  Order,
} from './command.ts'

export function readCommand(value: unknown): Checked<Command> {
  if (!isObject(value)) return { issue: 'a command is an object' }
  const frame = readFrame(value)
  if ('issue' in frame) return frame
  const order = readOrder(value)
  return 'issue' in order ? order : { value: { ...order.value, ...frame.value } }
}

type Members = Record<string, unknown>

function readFrame({ service, deadline, askedBy }: Members): Checked<CommandFrame> {
  if (typeof service !== 'string') return { issue: 'service: names the service that is asked' }
  if (typeof deadline !== 'string' || !isRfc3339(deadline)) {
    return { issue: 'deadline: is an RFC 3339 time' }
  }
  if (typeof askedBy !== 'string') return { issue: 'askedBy: says who asks' }
  return { value: { service, deadline, askedBy } }
}

/** By action. A new action is a new entry. */
const readers: {
  readonly [Action in Order['action']]: (members: Members) => Checked<Order>
} = {
  redrive: ({ target, isForced = false }) => {
    if (!isTarget(target)) return { issue: targetIssue(target) ?? '' }
    if (typeof isForced !== 'boolean') return { issue: 'isForced: is true or false' }
    return { value: { action: 'redrive', target, isForced } }
  },
  discard: ({ target, reason = '' }) => {
    if (!isTarget(target)) return { issue: targetIssue(target) ?? '' }
    if (typeof reason !== 'string') return { issue: 'reason: is a text' }
    return { value: { action: 'discard', target, ...(reason === '' ? {} : { reason }) } }
  },
  try: ({ target, runs = false }) => {
    if (!isTarget(target)) return { issue: targetIssue(target) ?? '' }
    if (typeof runs !== 'boolean') return { issue: 'runs: is true or false' }
    return { value: { action: 'try', target, runs } }
  },
  show: ({ id, sealFor }) => {
    if (typeof id !== 'string') return { issue: 'id: names a dead letter' }
    if (typeof sealFor !== 'string') return { issue: 'sealFor: is the key of whoever asks' }
    return { value: { action: 'show', id, sealFor } }
  },
  edit: ({ id, payload }) => {
    if (typeof id !== 'string') return { issue: 'id: names a dead letter' }
    if (payload === undefined) return { issue: 'payload: is what the event is to say' }
    return { value: { action: 'edit', id, payload } }
  },
  pause: (members) => readPause('pause', members),
  resume: (members) => readPause('resume', members),
  replay: ({ request }) => {
    const checked = readReplayRequest(request)
    return 'issue' in checked ? checked : { value: { action: 'replay', request: checked.value } }
  },
  rebuild: ({ projection }) => {
    if (typeof projection !== 'string') return { issue: 'projection: names a projection' }
    return { value: { action: 'rebuild', projection } }
  },
  cancel: ({ job }) => {
    if (typeof job !== 'string') return { issue: 'job: names a job by its id' }
    return { value: { action: 'cancel', job } }
  },
}

function readOrder(members: Members): Checked<Order> {
  const { action } = members
  const read = Object.entries(readers).find(([name]) => name === action)?.[1]
  const known = Object.keys(readers).join(', ')
  return read === undefined ? { issue: `action: is one of ${known}` } : read(members)
}

function readPause(action: 'pause' | 'resume', { subscription }: Members): Checked<Order> {
  if (typeof subscription !== 'string') return { issue: 'subscription: names an event' }
  return { value: { action, subscription } }
}

function readReplayRequest(value: unknown): Checked<ReplayRequest> {
  if (!isObject(value)) return { issue: 'request: says what is to be replayed' }
  const { name, events, from = 'start', to = 'end', into = 'handler' } = value
  if (name !== undefined && typeof name !== 'string') return { issue: 'request: name is a text' }
  if (!isPoint(from) || !isPoint(to)) {
    return { issue: 'request: from and to are start, end, an offset, or a time' }
  }
  if (into !== 'handler' && into !== 'shadow') {
    return { issue: 'request: into is handler or shadow' }
  }
  if (events !== undefined && !isTexts(events)) {
    return { issue: 'request: events are names of events' }
  }
  return {
    value: {
      ...(name === undefined ? {} : { name }),
      ...(events === undefined ? {} : { events }),
      from,
      to,
      into,
    },
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isPoint(value: unknown): value is ReplayPoint {
  if (value === 'start' || value === 'end') return true
  if (!isObject(value)) return false
  return typeof value['offset'] === 'number' || typeof value['time'] === 'string'
}

export function readAnswer(value: unknown): Checked<CommandAnswer> {
  if (!isObject(value)) return { issue: 'an answer is an object' }
  const { commandId, service, outcome } = value
  if (typeof commandId !== 'string' || typeof service !== 'string' || !isObject(outcome)) {
    return { issue: 'an answer has commandId, service and outcome' }
  }
  const read = readOutcome(outcome)
  return read === null
    ? { issue: 'outcome: is done, refused, begun, progress or stopped, with what belongs to it' }
    : { value: { commandId, service, outcome: read } }
}

function readOutcome(outcome: Members): CommandOutcome | null {
  const { kind, reason, done, total, letters, isOutOfOrder, guarded, report } = outcome
  if (kind === 'refused' && typeof reason === 'string') return { kind, reason }
  if (kind === 'done') {
    return {
      kind,
      ...(typeof letters === 'number' ? { letters } : {}),
      ...(typeof isOutOfOrder === 'boolean' ? { isOutOfOrder } : {}),
      ...(typeof guarded === 'number' ? { guarded } : {}),
      ...(isObject(report) ? { report } : {}),
    }
  }
  if (typeof done !== 'number' || typeof total !== 'number') return null
  if (kind === 'begun' || kind === 'progress') return { kind, done, total }
  return kind === 'stopped' && typeof reason === 'string' ? { kind, reason, done, total } : null
}

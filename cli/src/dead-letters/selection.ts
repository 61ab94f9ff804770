import { type DeadLetter, type DeadLetterTarget, reasonSignature } from '@millrace/kit'
import { type Input, type OptionTable, type Positional, UsageError } from '../command.ts'
import { CommandFailure } from '../failure.ts'

/** Which dead letters a command means. */
export interface Selection {
  /** Empty for all. */
  readonly target: DeadLetterTarget
  readonly service: string | undefined
}

export const idPositional: Positional = {
  name: 'id',
  text: 'one dead letter, as "millrace dead-letters" lists it',
  required: false,
}

export const selectionOptions: OptionTable = {
  key: { kind: 'text', value: 'KEY', text: 'those of this key' },
  topic: { kind: 'text', value: 'TOPIC', text: 'those of this topic' },
  event: { kind: 'text', value: 'EVENT', text: 'those of this event' },
  reason: { kind: 'text', value: 'TEXT', text: 'those whose reason has this in it' },
  like: { kind: 'text', value: 'ID', text: 'those put aside for the same reason as this one' },
  state: { kind: 'text', value: 'STATE', text: 'parked, behind, waiting, skipped or rejected' },
  since: { kind: 'text', value: 'TIME', text: 'put aside at this RFC 3339 time or later' },
  until: { kind: 'text', value: 'TIME', text: 'put aside before this time' },
  correlation: { kind: 'text', value: 'ID', text: 'those of this correlation id' },
  service: { kind: 'text', value: 'NAME', text: 'those of this service' },
  all: { kind: 'flag', text: 'all of them' },
}

export const selectionNote =
  'Several of --key, --topic, --event, --reason, --like, --state, --since, --until, --correlation ' +
  'and --service mean those to which all apply.'

/** @throws UsageError unless an id, a query or --all says which are meant */
export function readSelection(
  input: Input,
  letters: readonly DeadLetter[] = [],
  [id]: readonly (string | undefined)[] = input.positionals,
): Selection {
  const query = queryOf(input, letters)
  const service = input.text('service')
  const isQuery = Object.keys(query).length > 0 || service !== undefined
  const ways = [id !== undefined, isQuery, input.flag('all')].filter(Boolean).length
  if (ways !== 1 && !(ways === 2 && id === undefined && Object.keys(query).length === 0)) {
    throw new UsageError('say which: an id, a query such as --key KEY, or --all')
  }
  return { target: id === undefined ? query : { id }, service }
}

function queryOf(input: Input, letters: readonly DeadLetter[]): DeadLetterTarget {
  const like = input.text('like')
  const alike = letters.find(({ id }) => id === like)
  if (like !== undefined && alike === undefined && letters.length > 0) {
    throw new CommandFailure(`no dead letter has the id "${like}"`)
  }
  const state = stateOf(input.text('state'))
  const given = {
    key: input.text('key'),
    topic: input.text('topic'),
    eventType: input.text('event'),
    reason: input.text('reason'),
    signature: like === undefined ? undefined : reasonSignature(alike?.reason ?? ''),
    since: timeOf(input, 'since'),
    until: timeOf(input, 'until'),
    correlationId: input.text('correlation'),
  }
  const texts = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(texts), ...(state === undefined ? {} : { state }) }
}

const states = ['parked', 'behind', 'waiting', 'skipped', 'rejected'] as const

function stateOf(text: string | undefined): DeadLetter['state'] | undefined {
  const state = states.find((one) => one === text)
  if (text === undefined || state !== undefined) return state
  throw new UsageError(`--state is "${text}"; it can be ${states.join(', ')}`)
}

function timeOf(input: Input, name: string): string | undefined {
  const text = input.text(name)
  if (text === undefined) return undefined
  if (/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/i.test(text) && !Number.isNaN(Date.parse(text))) {
    return text
  }
  throw new UsageError(`--${name} is "${text}"; it is a time such as 2026-01-31T12:00:00Z`)
}

/** @throws CommandFailure where an id or a key is named, and there is none of it */
export function lettersMeant(
  letters: readonly DeadLetter[],
  { target, service }: Selection,
): readonly DeadLetter[] {
  const { id, key, topic } = target
  const found = letters.filter(
    (letter) => (service === undefined || letter.service === service) && isMeant(letter, target),
  )
  if (found.length > 0) return found
  if (id !== undefined) {
    throw new CommandFailure(
      `no dead letter has the id "${id}"; "millrace dead-letters" lists them`,
    )
  }
  if (key !== undefined) {
    const where = topic === undefined ? '' : ` of topic "${topic}"`
    throw new CommandFailure(`no dead letter holds back the key "${key}"${where}`)
  }
  return []
}

/** As the service itself decides it. */
function isMeant(letter: DeadLetter, target: DeadLetterTarget): boolean {
  const { since, until, reason, signature, ...rest } = target
  const parkedAtMs = Date.parse(letter.parkedAt)
  return (
    Object.entries(rest).every(([name, value]) => Reflect.get(letter, name) === value) &&
    (since === undefined || parkedAtMs >= Date.parse(since)) &&
    (until === undefined || parkedAtMs < Date.parse(until)) &&
    (reason === undefined || letter.reason.toLowerCase().includes(reason.toLowerCase())) &&
    (signature === undefined || reasonSignature(letter.reason) === signature)
  )
}

/** The services that have any of them: each is asked once, and finds its own. */
export function servicesOf(letters: readonly DeadLetter[]): readonly string[] {
  return [...new Set(letters.map(({ service }) => service))]
}

import type { Ask, DeadLetter, DeadLetterTarget } from '@millrace/kit'
import { type Input, type OptionTable, type Positional, UsageError } from '../command.ts'
import { CommandFailure } from '../failure.ts'

/** Which dead letters a command means: one, those of a key, or all. */
export type Selection =
  | { readonly kind: 'one'; readonly id: string }
  | { readonly kind: 'key'; readonly key: string; readonly topic: string | undefined }
  | { readonly kind: 'all'; readonly service: string | undefined }

export const idPositional: Positional = {
  name: 'id',
  text: 'one dead letter, as "millrace dead-letters" lists it',
  required: false,
}

export const selectionOptions: OptionTable = {
  key: { kind: 'text', value: 'KEY', text: 'all of this key' },
  topic: { kind: 'text', value: 'TOPIC', text: 'with --key: only those of this topic' },
  all: { kind: 'flag', text: 'all of them' },
  service: { kind: 'text', value: 'NAME', text: 'with --all: only those of this service' },
}

/** @throws UsageError unless exactly one way to select is used */
export function readSelection(input: Input): Selection {
  const [id] = input.positionals
  const key = input.text('key')
  const topic = input.text('topic')
  const service = input.text('service')
  const ways = [id !== undefined, key !== undefined, input.flag('all')].filter(Boolean).length
  if (ways !== 1) throw new UsageError('say which: an id, --key KEY, or --all')
  if (topic !== undefined && key === undefined) throw new UsageError('--topic goes with --key')
  if (service !== undefined && !input.flag('all')) throw new UsageError('--service goes with --all')
  if (id !== undefined) return { kind: 'one', id }
  return key === undefined ? { kind: 'all', service } : { kind: 'key', key, topic }
}

/** @throws CommandFailure where nothing is meant, except that there may be none of all */
export function lettersMeant(
  letters: readonly DeadLetter[],
  selection: Selection,
): readonly DeadLetter[] {
  switch (selection.kind) {
    case 'one': {
      const { id } = selection
      const found = letters.filter((letter) => letter.id === id)
      if (found.length > 0) return found
      throw new CommandFailure(
        `no dead letter has the id "${id}"; "millrace dead-letters" lists them`,
      )
    }
    case 'key': {
      const { key, topic } = selection
      const found = letters.filter(
        (letter) => letter.key === key && (topic === undefined || letter.topic === topic),
      )
      if (found.length > 0) return found
      const where = topic === undefined ? '' : ` of topic "${topic}"`
      throw new CommandFailure(`no dead letter holds back the key "${key}"${where}`)
    }
    case 'all': {
      const { service } = selection
      return letters.filter((letter) => service === undefined || letter.service === service)
    }
    default:
      return selection satisfies never
  }
}

export type Order = Pick<Ask, 'service' | 'target'>

/**
 * What to ask of which service. A redrive of a key begins with the first that waits, whichever is
 * named, so that one order a key is enough; a discard means exactly what was selected.
 */
export function ordersFor(
  action: Ask['action'],
  selection: Selection,
  letters: readonly DeadLetter[],
): readonly Order[] {
  if (selection.kind === 'all') {
    return [...new Set(letters.map(({ service }) => service))].map((service) => ({
      service,
      target: {},
    }))
  }
  const orders = new Map<string, Order>()
  for (const { service, stream, key, id } of letters) {
    const target: DeadLetterTarget = { id }
    const name = action === 'discard' || key === null ? id : JSON.stringify([service, stream, key])
    if (!orders.has(name)) orders.set(name, { service, target })
  }
  return [...orders.values()]
}

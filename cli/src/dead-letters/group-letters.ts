import { type DeadLetter, reasonSignature } from '@millrace/kit'
import { type Input, UsageError } from '../command.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import { table } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'

/** What letters are counted by. A reason is what it has in common with others. */
const groupings = {
  reason: ({ reason }: DeadLetter) => reasonSignature(reason),
  event: ({ eventType, topic }: DeadLetter) => eventType ?? `a record of ${topic}`,
  service: ({ service }: DeadLetter) => service,
  state: ({ state }: DeadLetter): string => state,
  key: ({ key, stream }: DeadLetter) => (key === null ? 'no key' : `${stream} ${key}`),
} as const

export type Grouping = keyof typeof groupings

export interface LetterGroup {
  readonly name: string
  readonly letters: number
  readonly services: readonly string[]
  readonly since: string
  /** One of them, for --like and for show. */
  readonly example: string
}

export function groupingOf(text: string | undefined): Grouping | null {
  if (text === undefined) return null
  const names = ['reason', 'event', 'service', 'state', 'key'] as const
  const found = names.find((name) => name === text)
  if (found !== undefined) return found
  throw new UsageError(`--by is "${text}"; it can be ${names.join(', ')}`)
}

/** Largest first. */
export function groupLetters(letters: readonly DeadLetter[], by: Grouping): readonly LetterGroup[] {
  const groups = [...Map.groupBy(letters, groupings[by])].map(([name, members]) => ({
    name,
    letters: members.length,
    services: [...new Set(members.map(({ service }) => service))],
    since: members.map(({ parkedAt }) => parkedAt).reduce((one, at) => (at < one ? at : one)),
    example: members[0]?.id ?? '',
  }))
  return groups.toSorted((one, other) => other.letters - one.letters)
}

export async function printGroups(
  groups: readonly LetterGroup[],
  { input, terminal }: { readonly input: Input; readonly terminal: Terminal },
): Promise<void> {
  if (input.flag('json')) {
    for (const group of groups) await terminal.print(jsonLine(group))
    return
  }
  if (groups.length === 0) terminal.note('there are no dead letters')
  const rows = groups.map(({ name, letters, services, since, example }) => [
    String(letters),
    services.join(', '),
    since.replace(/\.\d+Z$/, 'Z'),
    example,
    printableText(name),
  ])
  if (rows.length > 0) for (const line of table(columns, rows)) await terminal.print(line)
}

const columns = [
  { title: 'letters', align: 'right' },
  { title: 'service' },
  { title: 'since' },
  { title: 'such as' },
  { title: 'what' },
] as const

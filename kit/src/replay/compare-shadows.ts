// How a changed service differs from the present one, over real history.

import type { MergedRecord } from './merged-records.ts'
import type { ShadowRun, ShadowService } from './shadow-service.ts'

/** One way in which the two differ, however often. */
export interface ShadowDifference {
  readonly event: string
  /**
   * - `fails`, `no longer fails`: its handler does now, or does not.
   * - `effect`, `publish`, `write`: it does something that it did not, no longer does something,
   *   or does it in another way.
   * - `hears`, `no longer hears`: only one of them has a handler.
   */
  readonly kind:
    | 'fails'
    | 'no longer fails'
    | 'effect'
    | 'publish'
    | 'write'
    | 'hears'
    | 'no longer hears'
  /** The effect, the event that is published, or the statement; the error's text. */
  readonly what: string
  readonly times: number
  readonly example: ShadowExample
}

/** The first event at which they differed so. */
export interface ShadowExample {
  readonly eventId: string
  readonly place: string
  /** Null where one of them did nothing of the kind. */
  readonly present: string | null
  readonly changed: string | null
}

export interface ShadowComparison {
  /** Events that at least one of them heard. */
  readonly events: number
  readonly differing: number
  /** Events at which both failed, and alike: of what they do nothing is known. */
  readonly failing: number
  /** Most frequent first. */
  readonly differences: readonly ShadowDifference[]
}

export interface ComparedServices {
  readonly present: ShadowService
  readonly changed: ShadowService
}

/**
 * Gives each record to both, one after the other, and notes where they differ. Both begin from the
 * database that they were opened with, and each goes on from what it did itself.
 */
export async function compareShadows(
  { present, changed }: ComparedServices,
  records: AsyncIterable<MergedRecord>,
  told: (events: number) => void = () => {},
): Promise<ShadowComparison> {
  const found = new Map<string, ShadowDifference>()
  let events = 0
  let differing = 0
  let failing = 0
  for await (const merged of records) {
    const runs = { before: await present.run(merged), now: await changed.run(merged) }
    const event = runs.now?.event ?? runs.before?.event
    if (event === undefined) continue
    events += 1
    const { topic, partition, offset } = merged.record
    const place = `${topic}/${partition} at ${offset}`
    const differences = differencesOf(runs)
    if (differences.length > 0) differing += 1
    else if (runs.now?.failure) failing += 1
    for (const { kind, what, before, now } of differences) {
      const name = JSON.stringify([event.eventType, kind, what])
      const example = { eventId: event.eventId, place, present: before, changed: now }
      const known = found.get(name) ?? { event: event.eventType, kind, what, times: 0, example }
      found.set(name, { ...known, times: known.times + 1 })
    }
    told(events)
  }
  const differences = [...found.values()].toSorted((one, other) => other.times - one.times)
  return { events, differing, failing, differences }
}

interface Runs {
  readonly before: ShadowRun | null
  readonly now: ShadowRun | null
}

interface Difference extends Pick<ShadowDifference, 'kind' | 'what'> {
  readonly before: string | null
  readonly now: string | null
}

function differencesOf({ before, now }: Runs): readonly Difference[] {
  if (before === null || now === null) {
    const kind = before === null ? 'hears' : 'no longer hears'
    return [{ kind, what: '', before: null, now: null }]
  }
  if (before.failure !== now.failure) {
    const isNew = now.failure !== null
    const what = (isNew ? now.failure : before.failure) ?? ''
    const kind = isNew ? 'fails' : 'no longer fails'
    return [{ kind, what, before: before.failure, now: now.failure }]
  }
  return [
    ...compareLists('effect', listed(before.effects, effectOf), listed(now.effects, effectOf)),
    ...compareLists('publish', listed(before.events, eventOf), listed(now.events, eventOf)),
    ...compareLists('write', listed(before.writes, writeOf), listed(now.writes, writeOf)),
  ]
}

/** What was done, and its kind, under which differences are counted. */
interface Listed {
  readonly what: string
  readonly whole: string
}

const effectOf = ({ name, person }: ShadowRun['effects'][number]): Listed => {
  return { what: name, whole: person === '' ? name : `${name} for ${person}` }
}

const eventOf = ({ name, body }: ShadowRun['events'][number]): Listed => {
  return { what: name, whole: `${name} ${body}` }
}

const writeOf = ({ sql, values }: ShadowRun['writes'][number]): Listed => {
  return { what: sql, whole: `${sql} with ${JSON.stringify(values, plain)}` }
}

/** JSON has no word for these. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

function listed<One>(all: readonly One[], of: (one: One) => Listed): readonly Listed[] {
  return all.map(of)
}

/** In their order: the first of one that the other has not in its place. */
function compareLists(
  kind: Difference['kind'],
  before: readonly Listed[],
  now: readonly Listed[],
): readonly Difference[] {
  const at = Array.from({ length: Math.max(before.length, now.length) }, (_, index) => index).find(
    (index) => before[index]?.whole !== now[index]?.whole,
  )
  if (at === undefined) return []
  const one = before[at]
  const other = now[at]
  const what = other?.what ?? one?.what ?? ''
  return [{ kind, what, before: one?.whole ?? null, now: other?.whole ?? null }]
}

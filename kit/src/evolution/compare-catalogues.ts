// Whether a catalogue can take the place of a former one, while records and services of the former
// are still there.

import type { Catalogue, EventRoute } from '../catalogue/catalogue.ts'
import { readBody } from '../catalogue/read-record.ts'
import { isOlderVersion, upcastBody } from '../catalogue/upcast.ts'
import { messageOf } from '../errors.ts'
import {
  type CatalogueDescription,
  describeCatalogue,
  type EventDescription,
  type SchemaDescription,
} from './describe-catalogue.ts'
import { sampleValues } from './sample-values.ts'
import { narrowings } from './schema-change.ts'

/** What a change would break. */
export interface CatalogueProblem {
  /**
   * - `backward`: records that are on their topics, or parked, could not be read.
   * - `forward`: services that still have the former catalogue could not read what is said now.
   * - `order`: events of one key could be handled out of order.
   */
  readonly kind: 'backward' | 'forward' | 'order'
  readonly event: string
  readonly what: string
  /** A body that the former catalogue allowed, and that could not be read; where one was found. */
  readonly example?: unknown
}

/**
 * What would break if `present` took the place of `former`. It looks at schemas alone, and tries
 * upcasts on made-up bodies: `checkRecords` looks at what the topics really hold.
 */
export async function compareCatalogues(
  former: CatalogueDescription,
  present: Catalogue,
): Promise<readonly CatalogueProblem[]> {
  const described = describeCatalogue(present)
  const problems = former.events.map(async (before) => {
    const route = present.routes.get(before.event)
    const now = described.events.find(({ event }) => event === before.event)
    if (route === undefined || now === undefined) return [gone(before)]
    return [
      ...placeProblems(before, now),
      ...versionProblems(before, now),
      ...(isOlderVersion(route.definition, before.version)
        ? await upcastProblems(before, route)
        : schemaProblems(before, now)),
      ...forwardProblems(before, now),
    ]
  })
  return [...(await Promise.all(problems)).flat(), ...partitionProblems(former, described)]
}

function gone({ event, topic }: EventDescription): CatalogueProblem {
  const what = `it is gone: its records on topic "${topic}" could not be read`
  return { kind: 'backward', event, what }
}

function placeProblems(before: EventDescription, now: EventDescription): CatalogueProblem[] {
  const { event } = before
  const problems: CatalogueProblem[] = []
  if (before.topic !== now.topic) {
    const moved = `it moved from topic "${before.topic}" to "${now.topic}"`
    const what = `${moved}: what is left there is not read`
    problems.push({ kind: 'backward', event, what })
  }
  if (before.stream !== now.stream) {
    const moved = `it moved from stream "${before.stream}" to "${now.stream}"`
    const what = `${moved}: its keys, and what is parked of them, part`
    problems.push({ kind: 'order', event, what })
  }
  if (before.keyed !== now.keyed) {
    const what = now.keyed ? 'it has a key now, and had none' : 'it had a key, and has none now'
    problems.push({ kind: 'order', event, what })
  }
  return problems
}

/** A version that could be read must be read still. */
function versionProblems(before: EventDescription, now: EventDescription): CatalogueProblem[] {
  const readable = [...now.olderVersions, now.version]
  return before.olderVersions
    .filter((version) => !readable.includes(version))
    .map((version) => ({
      kind: 'backward',
      event: before.event,
      what: `records of version ${version} could be read, and it has no upcast for them now`,
    }))
}

function schemaProblems(before: EventDescription, now: EventDescription): CatalogueProblem[] {
  const hint =
    before.version === now.version
      ? ` (give it a new version, and an upcast from ${before.version})`
      : ` (give it an upcast from ${before.version})`
  return partsOf(before, now).flatMap(({ at, older, newer }) =>
    changes(older.said, newer.accepted, at).map((what) => ({
      kind: 'backward',
      event: before.event,
      what: `version ${before.version}: ${what}${hint}`,
    })),
  )
}

function forwardProblems(before: EventDescription, now: EventDescription): CatalogueProblem[] {
  return partsOf(before, now).flatMap(({ at, older, newer }) =>
    changes(newer.said, older.accepted, at).map((what) => ({
      kind: 'forward',
      event: before.event,
      what: `a service with version ${before.version} could not read it: ${what}`,
    })),
  )
}

function partsOf(before: EventDescription, now: EventDescription) {
  return [
    { at: '', older: before.fields, newer: now.fields },
    { at: 'payload', older: before.payload, newer: now.payload },
  ]
}

function changes(
  older: SchemaDescription['said'],
  newer: SchemaDescription['accepted'],
  at: string,
): readonly string[] {
  if (older === null || newer === null) return [] // `describeCatalogue` says it with a null.
  return narrowings(older, newer, at).map((one) => `${one.at}: ${one.what}`)
}

/** Runs the upcast on bodies that the former version allowed. */
async function upcastProblems(
  before: EventDescription,
  route: EventRoute,
): Promise<CatalogueProblem[]> {
  const payloads = before.payload.said === null ? null : sampleValues(before.payload.said)
  const [fields] = (before.fields.said === null ? null : sampleValues(before.fields.said)) ?? [{}]
  for (const payload of payloads ?? []) {
    const body = { fields: { ...Object(fields) }, payload }
    const reason = await unreadable(route, before.version, body)
    if (reason === null) continue
    const what = `version ${before.version}: ${reason}`
    return [{ kind: 'backward', event: before.event, what, example: { ...body.fields, payload } }]
  }
  return []
}

async function unreadable(
  route: EventRoute,
  version: string,
  body: Parameters<typeof readBody>[1],
): Promise<string | null> {
  try {
    const read = await readBody(route, await upcastBody(route.definition, version, body))
    return read.kind === 'invalid' ? read.issues.join('; ') : null
  } catch (error) {
    return messageOf(error)
  }
}

function partitionProblems(
  former: CatalogueDescription,
  present: CatalogueDescription,
): CatalogueProblem[] {
  return former.topics.flatMap(({ topic, partitions }) => {
    const now = present.topics.find((one) => one.topic === topic)
    if (now === undefined || now.partitions === partitions) return []
    const [event = topic] = present.events.flatMap((one) => (one.topic === topic ? one.event : []))
    const had = `topic "${topic}" had ${partitions} partitions`
    const what = `${had}, and the catalogue says ${now.partitions}: keys move`
    return [{ kind: 'order', event, what }]
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue, type EventMap } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { upcast } from '../catalogue/upcast.ts'
import { compareCatalogues } from './compare-catalogues.ts'
import { describeCatalogue } from './describe-catalogue.ts'
import { readDescription } from './read-description.ts'

const payload = z.object({ userId: z.string(), name: z.string() })
const created = event({ version: '1.0', key: (e) => e.payload.userId, payload })
const former = describeCatalogue(defineCatalogue('users', { 'user.created': created }))

async function told(events: EventMap, options: { readonly partitions?: number } = {}) {
  const problems = await compareCatalogues(former, defineCatalogue('users', events, options))
  return problems.map(({ kind, what }) => `${kind}: ${what}`)
}

/** The name is two names from 2.0 on. */
const split = z.object({ userId: z.string(), firstName: z.string(), lastName: z.string().min(1) })
const key = (e: { readonly payload: { readonly userId: string } }) => e.payload.userId

describe('a catalogue that takes the place of a former one', () => {
  test('breaks nothing where it only adds', async () => {
    const wider = payload.extend({ nickname: z.string().optional() })
    const other = event({ version: '1.0', payload: z.object({}) })
    assert.deepEqual(await told({ 'user.created': { ...created, payload: wider }, other }), [])
  })

  test('is told what could not be read, and what to do', async () => {
    const narrower = payload.extend({ email: z.string() })
    assert.deepEqual(await told({ 'user.created': { ...created, payload: narrower } }), [
      'backward: version 1.0: payload.email: is required, and was not ' +
        '(give it a new version, and an upcast from 1.0)',
    ])
  })

  test('may say other bodies in a new version that reads the former one', async () => {
    const upcasts = {
      '1.0': upcast(payload, ({ userId, name }) => {
        return { userId, firstName: name, lastName: name }
      }),
    }
    const changed = event({ version: '2.0', key, upcasts, payload: split })
    const problems = await told({ 'user.created': changed })
    assert.deepEqual(problems, [
      'forward: a service with version 1.0 could not read it: payload.name: ' +
        'is required, and was not',
    ])
  })

  test('is shown the body that an upcast does not manage', async () => {
    const upcasts = {
      '1.0': upcast(payload, ({ userId, name }) => {
        const [firstName = '', lastName = ''] = name.split(' ')
        return { userId, firstName, lastName }
      }),
    }
    const changed = event({ version: '2.0', key, upcasts, payload: split })
    const problems = await compareCatalogues(
      former,
      defineCatalogue('users', { 'user.created': changed }),
    )
    const [problem] = problems.filter(({ kind }) => kind === 'backward')
    assert.match(problem?.what ?? '', /version 1\.0: payload\.lastName/)
    assert.deepEqual(problem?.example, { payload: { userId: 'text', name: 'text' } })
  })

  test('must read every version that the former one read', async () => {
    const second = event({ version: '2.0', key, upcasts: { '1.0': (body) => body }, payload })
    const before = describeCatalogue(defineCatalogue('users', { second }))
    const after = defineCatalogue('users', { second: event({ version: '2.0', key, payload }) })
    const problems = await compareCatalogues(before, after)
    assert.match(problems[0]?.what ?? '', /version 1\.0 could be read, and it has no upcast/)
  })

  test('must keep its events, their topics, streams and keys, and their partitions', async () => {
    assert.match((await told({}))[0] ?? '', /backward: it is gone/)
    const moved = { 'user.created': { ...created, topic: 'users' } }
    assert.match((await told(moved)).join('\n'), /backward: it moved from topic/)
    const streamed = { 'user.created': { ...created, stream: 'user' } }
    assert.match((await told(streamed)).join('\n'), /order: it moved from stream/)
    const keyless = event({ version: '1.0', payload })
    assert.match((await told({ 'user.created': keyless })).join('\n'), /order: it had a key/)
    assert.match(
      (await told({ 'user.created': created }, { partitions: 6 })).join('\n'),
      /order: topic "user\.created" had 4 partitions, and the catalogue says 6/,
    )
  })
})

test('a description survives being kept as JSON', () => {
  assert.deepEqual(readDescription(JSON.stringify(former)), former)
})

for (const text of [
  'no JSON',
  '[]',
  '{"name":"a"}',
  '{"name":"a","format":"b","topics":[],"events":[{}]}',
]) {
  test(`${text} is no description, and the error says how to make one`, () => {
    assert.throws(
      () => readDescription(text),
      /no description of a catalogue: .*millrace catalogue/,
    )
  })
}

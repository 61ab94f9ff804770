import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { commitMetadataBytesMax } from '../limits.ts'
import { completionsSpanMax, decodeCompletions, encodeCompletions } from './completions.ts'

const topicId = '6f082c55-6447-a216-fdb9-f5bf2d8ba654'
const place = { topicId, position: 100n }

test('what was done above the position comes back, and nothing else', () => {
  const offsets = fc.uniqueArray(fc.bigInt(0n, BigInt(completionsSpanMax)), { maxLength: 200 })
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 62n), offsets, (position, above) => {
      const at = { topicId, position }
      const done = above.map((offset) => position + offset)
      const back = decodeCompletions(at, encodeCompletions(at, done))
      assert.deepEqual(new Set(back), new Set(done.filter((offset) => offset > position)))
    }),
  )
})

test('it is never longer than a broker takes, and what does not fit is left out', () => {
  const position = 2n ** 63n - 50_000n
  const done = Array.from({ length: 40_000 }, (_, index) => position + BigInt(index) + 1n)
  const metadata = encodeCompletions({ topicId, position }, done)
  assert.ok(metadata.length <= commitMetadataBytesMax, `it has ${metadata.length} bytes`)
  assert.equal(decodeCompletions({ topicId, position }, metadata).length, completionsSpanMax)
})

test('nothing done above the position is no metadata at all', () => {
  assert.equal(encodeCompletions(place, [99n, 100n]), '')
})

const written = encodeCompletions(place, [101n, 103n])
const foreign: readonly [string, typeof place, string][] = [
  ['of another tool', place, 'checkpoint 7'],
  ['that was cut off', place, written.slice(0, -1)],
  ['of a later version', place, written.replace('/1', '/2')],
  ['that is no base64', place, `${written}!`],
  ['beside an offset that was reset', { ...place, position: 40n }, written],
  ['of a topic that was made again, or mirrored', { ...place, topicId: 'other' }, written],
  ['that is empty', place, ''],
]
for (const [what, at, metadata] of foreign) {
  test(`metadata ${what} counts for nothing`, () => {
    assert.deepEqual(decodeCompletions(at, metadata), [])
  })
}

test('no text that anybody may have written throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const prefix = written.slice(0, written.lastIndexOf(' ') + 1)
      for (const metadata of [text, prefix + text]) decodeCompletions(place, metadata)
    }),
  )
})

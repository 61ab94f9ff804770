import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse, predictNext, recommend } from './judgement.ts'

const liking = (destination: string, points: number) => ({ destination, points })
const own = [liking('oslo', 6), liking('kyoto', 2)]
const all = [liking('lisbon', 50), liking('oslo', 30), liking('rome', 3), liking('kyoto', 2)]

test('what one likes oneself comes first, then what everybody likes, each once', () => {
  assert.deepEqual(recommend(own, all), ['oslo', 'kyoto', 'lisbon'])
  assert.deepEqual(recommend([], all), ['lisbon', 'oslo', 'rome'])
  assert.deepEqual(recommend([], []), [])
})

test('the next trip is the best liked of the rest, by its part of the rest', () => {
  assert.deepEqual(predictNext([...own, liking('lisbon', 90)], 'lisbon'), {
    destination: 'oslo',
    confidence: 0.75,
  })
  assert.equal(predictNext([liking('lisbon', 9)], 'lisbon'), null)
})

for (const [points, segment] of [
  [0, 'newcomer'],
  [1, 'dreamer'],
  [9, 'dreamer'],
  [10, 'traveller'],
] as const) {
  test(`${points} points make a ${segment}`, () => {
    const likings = points === 0 ? [] : [liking('oslo', points)]
    const favourite = points === 0 ? null : 'oslo'
    assert.deepEqual(analyse(likings), { segment, favourite })
  })
}

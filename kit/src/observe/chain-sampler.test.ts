import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import { ChainSampler } from './chain-sampler.ts'

const chains = Array.from({ length: 4_000 }, (_, index) => `order-${index}`)

function sampler(rate: number, stepsPerSecondMax = Number.POSITIVE_INFINITY) {
  const clock = new ManualClock()
  return { clock, it: new ChainSampler({ rate, stepsPerSecondMax, clock }) }
}

test('a rate of 1 takes every chain, and a rate of 0 none', () => {
  assert.ok(chains.every((chain) => sampler(1).it.takes(chain)))
  assert.ok(chains.every((chain) => !sampler(0).it.takes(chain)))
})

test('a rate takes about its part, and every service takes the same chains', () => {
  const one = sampler(0.25).it
  const other = sampler(0.25).it
  const taken = chains.filter((chain) => one.takes(chain))
  assert.ok(Math.abs(taken.length / chains.length - 0.25) < 0.03, `${taken.length}`)
  assert.deepEqual(
    chains.filter((chain) => other.takes(chain)),
    taken,
  )
})

test('whoever takes less takes some of what the others take', () => {
  const few = sampler(0.1).it
  const many = sampler(0.5).it
  for (const chain of chains) assert.ok(!few.takes(chain) || many.takes(chain), chain)
})

test('no second has more steps than the limit, and what had no place is counted', () => {
  const { it } = sampler(1, 100)
  assert.equal(chains.filter((chain) => it.takes(chain)).length, 100)
  assert.equal(it.takeDropped(), chains.length - 100)
  assert.equal(it.takeDropped(), 0)
})

test('after too many steps fewer chains are taken, and those whole; then all again', async () => {
  const { it, clock } = sampler(1, 1_000)
  for (const chain of chains) it.takes(chain)
  assert.ok(it.takeDropped() > 0)
  await clock.advance(1_000)
  const taken = chains.filter((chain) => it.takes(chain))
  assert.equal(it.takeDropped(), 0)
  assert.ok(taken.length > 800 && taken.length <= 1_000, `${taken.length}`)
  for (let second = 0; second < 4; second += 1) {
    await clock.advance(1_000)
    it.takes('order-1')
  }
  assert.ok(chains.slice(0, 800).every((chain) => it.takes(chain)))
})

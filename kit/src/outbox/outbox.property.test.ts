import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { relayFixture } from '../../test/relay-fixture.ts'
import { settle } from '../../test/turns.ts'
import type { SendOutcome } from '../transport/transport.ts'

/** What becomes of one send. */
const fates = ['sent', 'lost', 'arrived, but untold'] as const

const speech = fc.record({
  by: fc.constantFrom('ada', 'bob', 'cyd', 'dan'),
  words: fc.integer({ min: 1, max: 3 }),
  isTakenBack: fc.boolean(),
})

test('whatever fails, and whoever speaks at once: each key in commit order, each event once', async () => {
  const property = fc.asyncProperty(
    fc.array(speech, { minLength: 1, maxLength: 40 }),
    fc.array(fc.constantFrom(...fates), { maxLength: 25 }),
    async (speeches, plannedFates) => {
      await using it = await relayFixture()
      const left = [...plannedFates]
      it.transport.script = (_place, _records, append): SendOutcome => {
        const fate = left.shift() ?? 'sent'
        const baseOffset = fate === 'lost' ? 0n : append()
        return fate === 'sent'
          ? { kind: 'sent', baseOffset }
          : { kind: 'unavailable', code: 'GONE', message: fate }
      }
      it.relay.start()
      const committed = new Map<string, string[]>()
      const speaking = speeches.map(async ({ by, words, isTakenBack }, number) => {
        const said = Array.from({ length: words }, (_, word) => `${by}${number}.${word}`)
        const bodies = said.map((payload) => ({ by, payload }))
        if (isTakenBack) await assert.rejects(it.takeBack('said', ...bodies))
        else {
          await it.say('said', ...bodies)
          committed.set(by, [...(committed.get(by) ?? []), ...said])
        }
      })
      await Promise.all(speaking)
      for (let round = 0; round < 50 && it.outbox.unsent > 0; round += 1) {
        await it.clock.advance(10_000)
        await settle()
      }
      assert.equal(it.outbox.unsent, 0)
      const arrived = it.transport.valuesOn('said')
      for (const by of ['ada', 'bob', 'cyd', 'dan']) {
        const heard = arrived.filter((value) => value.startsWith(by))
        assert.deepEqual(heard, committed.get(by) ?? [])
      }
      assert.equal(it.transport.inFlightMax <= 1, true)
    },
  )
  await fc.assert(property, { numRuns: 25 })
})

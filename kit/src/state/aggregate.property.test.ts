import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type OrderCommand, orderAggregate, stateFixture } from '../../test/state-fixture.ts'
import { readAggregate, readStream } from './stream.ts'

const command: fc.Arbitrary<OrderCommand> = fc.constantFrom<OrderCommand>(
  { kind: 'place', cents: 1 },
  { kind: 'pay' },
  { kind: 'note', text: 'hello' },
)

/** What one writer does in one transaction: commands at once, and perhaps a crash at the end. */
const work = fc.record({
  commands: fc.array(
    fc.record({ command, expectedVersion: fc.option(fc.nat(4), { nil: undefined }) }),
    { minLength: 1, maxLength: 4 },
  ),
  crashes: fc.boolean(),
})

test('versions have no gaps, and the stream is what committed, however two writers interleave', async () => {
  const every = fc.integer({ min: 1, max: 3 })
  const writers = fc.tuple(fc.array(work, { maxLength: 4 }), fc.array(work, { maxLength: 4 }))
  await fc.assert(
    fc.asyncProperty(writers, every, async (both, snapshotEvery) => {
      await using at = await stateFixture()
      const order = orderAggregate({ snapshot: { every: snapshotEvery } })
      let committed = 0
      const write = async ({ commands, crashes }: (typeof both)[0][0]) => {
        const outcomes = await at.transaction(async ({ aggregate }) => {
          const decided = await Promise.all(
            commands.map(({ command: asked, expectedVersion }) =>
              aggregate(order, '1').handle(
                asked,
                expectedVersion === undefined ? {} : { expectedVersion },
              ),
            ),
          )
          if (crashes) throw new Error('crash')
          return decided
        })
        committed += outcomes.filter(({ kind }) => kind === 'accepted').length
      }
      await Promise.all(
        both.map(async (works) => {
          for (const one of works) await write(one).catch(() => {})
        }),
      )
      const place = { aggregate: order, id: '1' }
      const stream = await readStream(at.store.read, place)
      assert.deepEqual(
        stream.map(({ version }) => version),
        Array.from({ length: committed }, (_, index) => index + 1),
      )
      const folded = stream.reduce(
        (state, { event }) => order.evolve(state, event),
        order.initial('1'),
      )
      assert.deepEqual(await readAggregate(at.store.read, place), {
        state: folded,
        version: committed,
      })
      const placed = stream.filter(({ event }) => event.type === 'placed').length
      assert.equal((await at.said()).length, placed)
      assert(placed <= 1)
    }),
    { numRuns: 30 },
  )
})

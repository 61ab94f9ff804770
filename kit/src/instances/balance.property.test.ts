import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  assert as check,
  constant,
  constantFrom,
  infiniteStream,
  integer,
  nat,
  property,
  record,
  uniqueArray,
} from 'fast-check'
import { balance } from './balance.ts'
import { allSlots } from './slot.ts'

/** Members by number, and who holds each slot; 0 for nobody. */
const world = uniqueArray(integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 20 }).chain(
  (members) =>
    record({
      members: constant(members),
      held: array(constantFrom(0, ...members), {
        minLength: allSlots.length,
        maxLength: allSlots.length,
      }),
    }),
)

function holdersOf(held: readonly number[]): Map<number, number> {
  return new Map([...held.entries()].filter(([, holder]) => holder !== 0))
}

/** One member decides; its locks say whether it gets what it wants. */
function move(me: number, members: readonly number[], holders: Map<number, number>): boolean {
  const { take, give } = balance({ me, members, holders })
  for (const slot of give) holders.delete(slot)
  for (const slot of take) if (!holders.has(slot)) holders.set(slot, me)
  return take.length > 0 || give.length > 0
}

function sharesOf(members: readonly number[], holders: ReadonlyMap<number, number>) {
  return members.map((member) => [...holders.values()].filter((one) => one === member).length)
}

test('whoever looks in whatever order, all slots are soon held, by all alike but for one', () => {
  const turns = infiniteStream(nat())
  check(
    property(world, turns, ({ members, held }, order) => {
      const holders = holdersOf(held)
      for (let round = 0; round < 3; round += 1) {
        const left = [...members]
        while (left.length > 0) {
          const [me = 0] = left.splice((order.next().value ?? 0) % left.length, 1)
          move(me, members, holders)
        }
      }
      assert.equal(holders.size, allSlots.length)
      const shares = sharesOf(members, holders)
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, `shares ${shares.join(', ')}`)
      for (const me of members) assert.equal(move(me, members, holders), false) // Y2
    }),
  )
})

test('a member takes only what nobody holds, gives only its own, and never does both', () => {
  check(
    property(world, ({ members, held }) => {
      const holders = holdersOf(held)
      for (const me of members) {
        const { take, give } = balance({ me, members, holders })
        assert.ok(take.length === 0 || give.length === 0)
        for (const slot of take) assert.equal(holders.get(slot), undefined)
        for (const slot of give) assert.equal(holders.get(slot), me)
      }
    }),
  )
})

test('one that the others do not see any more gives all that it thinks it has', () => {
  const holders = new Map([
    [0, 1],
    [3, 2],
    [5, 1],
  ])
  assert.deepEqual(balance({ me: 1, members: [2, 3], holders }), { take: [], give: [0, 5] })
})

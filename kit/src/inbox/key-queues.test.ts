import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KeyQueues } from './key-queues.ts'

interface Item {
  readonly key: string
  readonly lane: string
  readonly name: string
}

const everyLane = () => true
const item = (key: string, name: string, lane = 'l') => ({ key, lane, name })

test('the next item of a key waits until the one that is out is finished', () => {
  const queues = new KeyQueues<Item>()
  queues.add(item('a', 'a1'))
  queues.add(item('a', 'a2'))
  queues.add(item('b', 'b1'))
  assert.equal(queues.next(everyLane)?.name, 'a1')
  assert.equal(queues.next(everyLane)?.name, 'b1')
  assert.equal(queues.next(everyLane), null)
  queues.finish('a')
  assert.equal(queues.next(everyLane)?.name, 'a2')
})

test('an item of a closed lane holds back its key, and no other', () => {
  const queues = new KeyQueues<Item>()
  queues.add(item('a', 'a1', 'closed'))
  queues.add(item('a', 'a2', 'open'))
  queues.add(item('b', 'b1', 'open'))
  const isOpen = (lane: string) => lane === 'open'
  assert.equal(queues.next(isOpen)?.name, 'b1')
  assert.equal(queues.next(isOpen), null)
  assert.equal(queues.next(everyLane)?.name, 'a1')
})

test('an item that is put back goes before its key’s others, and after the other keys', () => {
  const queues = new KeyQueues<Item>()
  queues.add(item('a', 'a1'))
  queues.add(item('a', 'a2'))
  queues.add(item('b', 'b1'))
  const out = queues.next(everyLane)
  assert.ok(out !== null)
  queues.putBack(out.key, [out])
  assert.equal(queues.next(everyLane)?.name, 'b1')
  assert.equal(queues.next(everyLane)?.name, 'a1')
})

test('what is removed does not come out, and the item that is out still finishes', () => {
  const queues = new KeyQueues<Item>()
  for (const name of ['a1', 'a2', 'a3']) queues.add(item('a', name))
  queues.add(item('b', 'b1'))
  assert.equal(queues.next(everyLane)?.name, 'a1')
  const removed = queues.remove(({ name }) => name !== 'a3')
  assert.deepEqual(
    removed.map(({ name }) => name),
    ['a2', 'b1'],
  )
  assert.equal(queues.next(everyLane), null)
  queues.finish('a')
  assert.equal(queues.next(everyLane)?.name, 'a3')
  queues.finish('a')
  assert.equal(queues.size, 0)
})

test('Q1 to Q3 hold for any sequence of adding, taking, finishing and putting back', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
    fc.record({ do: fc.constant('next' as const) }),
    fc.record({ do: fc.constantFrom('finish' as const, 'putBack' as const), at: fc.nat() }),
    fc.record({ do: fc.constant('remove' as const), key: fc.constantFrom('a', 'b') }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queues = new KeyQueues<Item>()
      const expected = new Map<string, string[]>()
      const out: Item[] = []
      for (const [index, action] of steps.entries()) {
        if (action.do === 'add') {
          queues.add(item(action.key, `${index}`))
          expected.set(action.key, [...(expected.get(action.key) ?? []), `${index}`])
        } else if (action.do === 'next') {
          const next = queues.next(everyLane)
          const isFree = [...expected].some(
            ([key, names]) => names.length > 0 && out.every((o) => o.key !== key),
          )
          assert.equal(next !== null, isFree)
          if (next === null) continue
          assert.ok(
            out.every(({ key }) => key !== next.key),
            'Q1',
          )
          assert.equal(expected.get(next.key)?.shift(), next.name, 'Q2')
          out.push(next)
        } else if (action.do === 'remove') {
          queues.remove(({ key }) => key === action.key)
          expected.set(action.key, [])
        } else {
          const [done] = out.splice(action.at % Math.max(out.length, 1), 1)
          if (done === undefined) continue
          if (action.do === 'finish') queues.finish(done.key)
          else {
            queues.putBack(done.key, [done])
            expected.get(done.key)?.unshift(done.name)
          }
        }
        assert.equal(queues.size, [...expected.values()].flat().length)
      }
    }),
  )
})

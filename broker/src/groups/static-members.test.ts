import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConsumerSubscription, encodeVersioned, errors } from '@millrace/wire'
import { assignmentOf, GroupStory } from '../../test/group-story.ts'

const ok = errors.none.code
const one = { groupInstanceId: 'one', metadata: 'same' }
const two = { groupInstanceId: 'two', metadata: 'same' }

/** Two static members, `a` (leader) and `b`, in a stable generation. */
function stableStory(): GroupStory {
  const story = new GroupStory()
  story.join('a', one)
  story.join('b', two)
  story.rejoin('a', one)
  story.sync('b', {}, { groupInstanceId: 'two' })
  story.sync('a', { a: 'part 0', b: 'part 1' }, { groupInstanceId: 'one' })
  return story
}

describe('static membership (KIP-345)', () => {
  test('a static member needs no id to join', () => {
    const story = new GroupStory()
    assert.equal(story.join('a', { ...one, asksForId: true })()?.errorCode, ok)
  })

  test('a follower that restarts gets its generation and its part without a rebalance', () => {
    const story = stableStory()
    const { generation } = story.state
    const reply = story.join('b2', two)()
    assert.equal(reply?.generation, generation)
    assert.equal(reply.leaderId, 'a')
    assert.equal(story.state.kind, 'stable')
    assert.equal(assignmentOf(story.sync('b2', {}, { groupInstanceId: 'two' })()), 'part 1')
  })

  test('a leader that restarts is told to skip the assignment, if it knows how (KIP-814)', () => {
    const story = stableStory()
    const reply = story.join('a2', { ...one, canSkipAssignment: true })()
    assert.equal(reply?.leaderId, 'a2')
    assert.equal(reply.skipAssignment, true)
    assert.equal(reply.members.length, 2)
  })

  test('an older leader that restarts is not told that it leads, lest it assign anew', () => {
    const story = stableStory()
    const reply = story.join('a2', one)()
    assert.equal(reply?.errorCode, ok)
    assert.notEqual(reply.leaderId, 'a2')
    assert.deepEqual(reply.members, [])
    assert.equal(story.state.kind, 'stable')
  })

  test('whoever was replaced is fenced, whatever it asks', () => {
    const story = stableStory()
    story.join('b2', two)
    const { code } = errors.fencedInstanceId
    assert.equal(story.heartbeat('b', { groupInstanceId: 'two' }), code)
    assert.equal(story.sync('b', {}, { groupInstanceId: 'two' })()?.errorCode, code)
    assert.equal(story.rejoin('b', two)()?.errorCode, code)
    assert.deepEqual(story.leave({ memberId: 'b', groupInstanceId: 'two' }), [code])
  })

  test('whoever waits when it is replaced is told so', () => {
    const story = stableStory()
    const waiting = story.rejoin('b', { ...two, metadata: 'more' })
    const successor = story.join('b2', two)
    assert.equal(waiting()?.errorCode, errors.fencedInstanceId.code)
    story.rejoin('a', one)
    assert.equal(successor()?.errorCode, ok)
  })

  test('a restart that wants other topics begins a rebalance', () => {
    const topics = (...topics: string[]) => encodeVersioned(ConsumerSubscription, 1, { topics })
    const story = new GroupStory()
    story.join('a', { ...one, metadata: topics('orders') })
    story.sync('a', { a: 'all' }, { groupInstanceId: 'one' })
    story.join('a2', { ...one, metadata: topics('orders', 'payments') })
    assert.equal(story.state.kind, 'completingRebalance')
  })

  test('a restart that has lost its partitions, and wants the same topics, does not', () => {
    const subscription = (partitions: number[]) =>
      encodeVersioned(ConsumerSubscription, 1, {
        topics: ['orders'],
        ownedPartitions: partitions.length > 0 ? [{ topic: 'orders', partitions }] : [],
      })
    const story = new GroupStory()
    story.join('a', { ...one, metadata: subscription([0, 1]) })
    story.sync('a', { a: 'all' }, { groupInstanceId: 'one' })
    story.join('a2', { ...one, metadata: subscription([]) })
    assert.equal(story.state.kind, 'stable')
  })

  test('a static member that is silent keeps its part until its session is over', () => {
    const story = stableStory()
    story.pass(9_000)
    story.heartbeat('a', { groupInstanceId: 'one' })
    assert.equal(story.state.kind, 'stable')
    story.pass(1_000)
    assert.deepEqual([...story.state.members.keys()], ['a'])
  })

  test('a static member that misses a round stays a member', () => {
    const story = stableStory()
    const leader = story.rejoin('a', { ...one, rebalanceTimeoutMs: 20_000 })
    for (let second = 0; second < 60; second += 5) {
      story.heartbeat('b', { groupInstanceId: 'two' })
      story.pass(5_000)
    }
    assert.equal(leader()?.errorCode, ok)
    assert.deepEqual(
      leader()?.members.map(({ memberId }) => memberId),
      ['a', 'b'],
    )
  })

  test('an administrator removes a static member by its instance id alone', () => {
    const story = stableStory()
    assert.deepEqual(story.leave({ memberId: '', groupInstanceId: 'two' }), [ok])
    assert.deepEqual([...story.state.members.keys()], ['a'])
  })

  test('an instance id that nobody has is unknown', () => {
    const story = stableStory()
    const { code } = errors.unknownMemberId
    assert.equal(story.heartbeat('a', { groupInstanceId: 'three' }), code)
  })
})

describe('a restart of the broker', () => {
  test('members, generation and assignments are there', () => {
    const story = stableStory()
    const { generation } = story.state
    story.restart()
    assert.equal(story.state.kind, 'stable')
    assert.equal(story.heartbeat('a', { groupInstanceId: 'one', generation }), ok)
    assert.equal(assignmentOf(story.sync('b', {}, { groupInstanceId: 'two' })()), 'part 1')
  })

  test('a member that does not come back is gone after its session', () => {
    const story = stableStory()
    story.restart()
    story.pass(9_000)
    story.heartbeat('a', { groupInstanceId: 'one' })
    story.pass(1_000)
    assert.deepEqual([...story.state.members.keys()], ['a'])
  })

  test('a round that was open is forgotten: its members find the last generation', () => {
    const story = stableStory()
    const { generation } = story.state
    story.join('c')
    story.restart()
    assert.equal(story.state.generation, generation)
    assert.equal(story.rejoin('c')()?.errorCode, errors.unknownMemberId.code)
  })

  test('a group that became empty is empty, in the same generation', () => {
    const story = new GroupStory()
    story.settle('a')
    story.leave('a')
    const { generation } = story.state
    story.restart()
    assert.equal(story.state.kind, 'empty')
    assert.equal(story.state.generation, generation)
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errors } from '@millrace/wire'
import { assignmentOf, GroupStory } from '../../test/group-story.ts'

const ok = errors.none.code

describe('a round of joins', () => {
  test('the first member forms a generation at once and leads it', () => {
    const story = new GroupStory()
    const reply = story.join('a')()
    assert.equal(reply?.errorCode, ok)
    assert.equal(reply.generation, 1)
    assert.equal(reply.leaderId, 'a')
    assert.deepEqual(
      reply.members.map(({ memberId }) => memberId),
      ['a'],
    )
  })

  test('a newcomer waits until those who are there have joined again', () => {
    const story = new GroupStory()
    story.settle('a')
    const newcomer = story.join('b')
    assert.equal(newcomer(), undefined)
    assert.equal(story.heartbeat('a'), errors.rebalanceInProgress.code)
    const leader = story.rejoin('a')
    assert.equal(leader()?.generation, 2)
    assert.equal(newcomer()?.generation, 2)
  })

  test('only the leader is told the members', () => {
    const story = new GroupStory()
    story.settle('a')
    const newcomer = story.join('b')
    const leader = story.rejoin('a')
    assert.equal(leader()?.members.length, 2)
    assert.deepEqual(newcomer()?.members, [])
    assert.equal(newcomer()?.leaderId, 'a')
  })

  test('a member that does not join again in time is left behind', () => {
    const story = new GroupStory()
    story.settle('a', 'b')
    const b = story.rejoin('b', { metadata: 'more', rebalanceTimeoutMs: 30_000 })
    for (let second = 0; second < 60; second += 5) {
      story.heartbeat('a')
      story.pass(5_000)
    }
    assert.equal(b()?.leaderId, 'b')
    assert.deepEqual([...story.state.members.keys()], ['b'])
    assert.equal(story.heartbeat('a'), errors.unknownMemberId.code)
  })

  test('a member that waits in a round does not lose its session', () => {
    const story = new GroupStory()
    story.settle('a')
    const newcomer = story.join('b', { sessionTimeoutMs: 6_000 })
    for (let second = 0; second < 30; second += 5) {
      story.heartbeat('a')
      story.pass(5_000)
    }
    assert.equal(newcomer(), undefined)
    story.rejoin('a')
    assert.equal(newcomer()?.errorCode, ok)
  })

  test('a member that asks twice gets an answer to both requests', () => {
    const story = new GroupStory()
    story.settle('a')
    const first = story.join('b')
    const second = story.rejoin('b')
    assert.equal(first()?.errorCode, errors.rebalanceInProgress.code)
    story.rejoin('a')
    assert.equal(second()?.errorCode, ok)
  })

  test('the protocol is one that all offer, by the votes of all', () => {
    const story = new GroupStory()
    story.join('a', { protocols: ['range', 'sticky', 'cooperative-sticky'] })
    story.join('b', { protocols: ['sticky', 'range'] })
    story.join('c', { protocols: ['sticky', 'range'] })
    const reply = story.rejoin('a', { protocols: ['range', 'sticky', 'cooperative-sticky'] })()
    assert.equal(reply?.protocolName, 'sticky')
  })

  const strangers = {
    'another protocol type': { protocolType: 'connect' },
    'no protocol in common': { protocols: ['sticky'] },
    'no protocol at all': { protocols: [] },
  }
  for (const [what, wish] of Object.entries(strangers)) {
    test(`a newcomer with ${what} is refused and disturbs nobody`, () => {
      const story = new GroupStory()
      story.settle('a')
      const reply = story.join('b', wish)()
      assert.equal(reply?.errorCode, errors.inconsistentGroupProtocol.code)
      assert.equal(story.state.kind, 'stable')
    })
  }

  test('a group that is full takes nobody, and keeps whom it has', () => {
    const story = new GroupStory({ groupMaxSize: 1 })
    story.settle('a')
    assert.equal(story.join('b')()?.errorCode, errors.groupMaxSizeReached.code)
    assert.equal(story.rejoin('a')()?.errorCode, ok)
  })

  test('a new group waits for more members when it is told to, as long as they come', () => {
    const story = new GroupStory({ groupInitialRebalanceDelayMs: 3_000 })
    const first = story.join('a')
    story.pass(2_000)
    const second = story.join('b')
    story.pass(1_000)
    assert.equal(first(), undefined, 'somebody has come: it looks once more')
    story.pass(3_000)
    assert.equal(first()?.generation, 1)
    assert.equal(second()?.generation, 1)
  })
})

describe('member ids (KIP-394)', () => {
  test('a new dynamic member is given an id and comes again with it', () => {
    const story = new GroupStory()
    const first = story.join('a', { asksForId: true })()
    assert.equal(first?.errorCode, errors.memberIdRequired.code)
    assert.equal(first.memberId, 'a')
    assert.equal(story.rejoin('a')()?.errorCode, ok)
  })

  test('a round waits for whoever was given an id, no longer than its session', () => {
    const story = new GroupStory()
    story.settle('a')
    story.join('b', { asksForId: true, sessionTimeoutMs: 8_000 })
    const leader = story.rejoin('a', { metadata: 'more' })
    assert.equal(leader(), undefined)
    story.pass(8_000)
    assert.equal(leader()?.generation, 2)
  })

  test('an id that the group did not give is unknown', () => {
    const story = new GroupStory()
    story.settle('a')
    assert.equal(story.rejoin('stranger')()?.errorCode, errors.unknownMemberId.code)
  })

  test('an id that was given may be given back', () => {
    const story = new GroupStory()
    story.join('a', { asksForId: true })
    assert.deepEqual(story.leave('a'), [ok])
    assert.equal(story.rejoin('a')()?.errorCode, errors.unknownMemberId.code)
  })
})

describe('joining again', () => {
  test('a follower that wants what it wanted gets the generation without a rebalance', () => {
    const story = new GroupStory()
    story.settle('a', 'b')
    const { generation } = story.state
    assert.equal(story.rejoin('b')()?.generation, generation)
    assert.equal(story.state.kind, 'stable')
  })

  test('a leader that joins again wants a rebalance', () => {
    const story = new GroupStory()
    story.settle('a', 'b')
    const leader = story.rejoin('a')
    assert.equal(leader(), undefined)
    assert.equal(story.heartbeat('b'), errors.rebalanceInProgress.code)
  })

  test('a follower that wants something else begins a rebalance', () => {
    const story = new GroupStory()
    story.settle('a', 'b')
    story.rejoin('b', { metadata: 'other partitions' })
    assert.equal(story.state.kind, 'preparingRebalance')
  })

  test('whoever asks again before the assignment is there gets the same generation', () => {
    const story = new GroupStory()
    story.join('a')
    assert.equal(story.rejoin('a')()?.generation, 1)
    assert.equal(story.state.kind, 'completingRebalance')
  })

  test('a change before the assignment is there begins anew, and the waiting are told', () => {
    const story = new GroupStory()
    story.settle('a', 'b')
    story.rejoin('b', { metadata: 'more' })
    story.rejoin('a')
    const waiting = story.sync('b')
    story.rejoin('a', { metadata: 'more too' })
    assert.equal(waiting()?.errorCode, errors.rebalanceInProgress.code)
    assert.equal(story.state.kind, 'preparingRebalance')
  })
})

describe('assignments', () => {
  test('followers wait for the leader, and each gets its own part', () => {
    const story = new GroupStory()
    story.join('a')
    story.join('b')
    story.rejoin('a')
    const follower = story.sync('b')
    assert.equal(follower(), undefined)
    const leader = story.sync('a', { a: 'part 0', b: 'part 1' })
    assert.equal(assignmentOf(leader()), 'part 0')
    assert.equal(assignmentOf(follower()), 'part 1')
  })

  test('a member that the leader forgot gets an empty part', () => {
    const story = new GroupStory()
    story.join('a')
    story.join('b')
    story.rejoin('a')
    story.sync('a', { a: 'everything' })
    const reply = story.sync('b')()
    assert.equal(reply?.errorCode, ok)
    assert.equal(assignmentOf(reply), '')
  })

  test('an assignment of an older generation is refused', () => {
    const story = new GroupStory()
    story.settle('a')
    const old = story.state.generation
    story.rejoin('a')
    const reply = story.sync('a', { a: 'old' }, { generation: old })()
    assert.equal(reply?.errorCode, errors.illegalGeneration.code)
  })

  test('whoever joined and never asks for its part is left out of the next round', () => {
    const story = new GroupStory()
    story.join('a', { rebalanceTimeoutMs: 20_000 })
    story.join('b', { rebalanceTimeoutMs: 20_000 })
    story.rejoin('a', { rebalanceTimeoutMs: 20_000 })
    story.sync('a', { a: 'all' })
    for (let second = 0; second < 20; second += 5) {
      story.heartbeat('a')
      story.heartbeat('b')
      story.pass(5_000)
    }
    assert.deepEqual([...story.state.members.keys()], ['a'])
    assert.equal(story.state.kind, 'preparingRebalance')
  })
})

describe('sessions', () => {
  test('a member that is silent for its session is gone, and the others share its part', () => {
    const story = new GroupStory()
    story.settle('a', 'b')
    story.pass(9_000)
    story.heartbeat('a')
    story.pass(1_000)
    assert.equal(story.state.kind, 'preparingRebalance')
    assert.deepEqual([...story.state.members.keys()], ['a'])
    assert.equal(story.heartbeat('b'), errors.unknownMemberId.code)
  })

  test('heartbeats keep a member, and so do commits', () => {
    const story = new GroupStory()
    story.settle('a')
    story.pass(9_000)
    assert.equal(story.heartbeat('a'), ok)
    story.pass(9_000)
    assert.equal(story.commit('a'), ok)
    story.pass(9_000)
    assert.equal(story.heartbeat('a'), ok)
  })

  test('a heartbeat of an older generation is refused', () => {
    const story = new GroupStory()
    story.settle('a')
    assert.equal(story.heartbeat('a', { generation: 0 }), errors.illegalGeneration.code)
  })

  test('the last member that leaves leaves an empty group of the next generation', () => {
    const story = new GroupStory()
    story.settle('a')
    const { generation } = story.state
    assert.deepEqual(story.leave('a'), [ok])
    assert.equal(story.state.kind, 'empty')
    assert.equal(story.state.generation, generation + 1)
  })

  test('a member that leaves while it waits gets its answer', () => {
    const story = new GroupStory()
    story.settle('a')
    const waiting = story.join('b')
    story.leave('b')
    assert.equal(waiting()?.errorCode, errors.unknownMemberId.code)
  })
})

describe('who may commit', () => {
  const outsider = ''
  test('a member of the generation may, also while the next round is open', () => {
    const story = new GroupStory()
    story.settle('a')
    story.join('b')
    assert.equal(story.commit('a'), ok)
  })

  test('nobody may between the round and the assignment', () => {
    const story = new GroupStory()
    story.join('a')
    assert.equal(story.commit('a'), errors.rebalanceInProgress.code)
  })

  test('somebody without a group may only while the group has no members', () => {
    const story = new GroupStory()
    assert.equal(story.commit(outsider, -1), ok)
    story.settle('a')
    assert.equal(story.commit(outsider, -1), errors.unknownMemberId.code)
  })

  test('a member that was left behind may not rewind its successor', () => {
    const story = new GroupStory()
    story.settle('a')
    const { generation } = story.state
    story.pass(10_000)
    assert.equal(story.commit('a', generation), errors.unknownMemberId.code)
    story.settle('b')
    story.rejoin('b')
    story.sync('b', { b: 'all' })
    assert.equal(story.commit('b', generation), errors.illegalGeneration.code)
  })
})

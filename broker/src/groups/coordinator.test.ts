import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  DeleteGroups,
  DeleteTopics,
  DescribeGroups,
  errors,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '@millrace/wire'
import { HandMovedClock } from '../../test/hand-moved-clock.ts'
import { clientOf, makeTopic, startTestBroker } from '../../test/test-broker.ts'
import type { WireClient } from '../../test/wire-client.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'

const ok = errors.none.code
const dayMs = 86_400_000

interface Commit {
  readonly groupId?: string
  readonly memberId?: string
  readonly generation?: number
  readonly topic?: string
  readonly partition?: number
  readonly metadata?: string | null
}

/** Commits one offset; returns its error code. */
async function commit(wire: WireClient, offset: bigint, wish: Commit = {}): Promise<number> {
  const { topics } = await wire.ask(OffsetCommit, 8, {
    groupId: wish.groupId ?? 'group',
    generationIdOrMemberEpoch: wish.generation ?? -1,
    memberId: wish.memberId ?? '',
    topics: [
      {
        name: wish.topic ?? 'orders',
        partitions: [
          {
            partitionIndex: wish.partition ?? 0,
            committedOffset: offset,
            committedMetadata: wish.metadata ?? null,
          },
        ],
      },
    ],
  })
  return topics[0]?.partitions[0]?.errorCode ?? -1
}

/** What a group committed for `orders`, partition 0. */
async function committed(wire: WireClient, groupId = 'group') {
  const topics = [{ name: 'orders', partitionIndexes: [0] }]
  const reply = await wire.ask(OffsetFetch, 7, { groupId, topics })
  const partition = reply.topics[0]?.partitions[0]
  assert.ok(partition !== undefined)
  return partition
}

/** Joins as the only member and takes the whole assignment. */
async function joinAlone(wire: WireClient, groupId = 'group') {
  const joined = await wire.ask(JoinGroup, 3, {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('wish') }],
  })
  const { memberId, generationId } = joined
  const assignments = [{ memberId, assignment: Buffer.from('part') }]
  await wire.ask(SyncGroup, 3, { groupId, generationId, memberId, assignments })
  return { memberId, generation: generationId }
}

async function stage(disk?: FaultyDisk) {
  const clock = new HandMovedClock()
  const stack = new AsyncDisposableStack()
  const storage = disk === undefined ? 'memory' : { disk }
  const broker = await startTestBroker({ clock, storage })
  stack.defer(() => broker.close().catch(() => {}))
  const wire = stack.use(await clientOf(broker))
  return { clock, broker, wire, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('committed offsets', () => {
  test('come back with their metadata', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    assert.equal(await commit(at.wire, 42n, { metadata: 'what I had done' }), ok)
    const { committedOffset, metadata } = await committed(at.wire)
    assert.deepEqual([committedOffset, metadata], [42n, 'what I had done'])
  })

  test('that were never committed are -1, without an error', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    const { committedOffset, errorCode } = await committed(at.wire)
    assert.deepEqual([committedOffset, errorCode], [-1n, ok])
  })

  test('may have 4096 bytes of metadata, and not one more', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    assert.equal(await commit(at.wire, 1n, { metadata: 'x'.repeat(4096) }), ok)
    const tooMuch = await commit(at.wire, 2n, { metadata: 'x'.repeat(4097) })
    assert.equal(tooMuch, errors.offsetMetadataTooLarge.code)
    assert.equal((await committed(at.wire)).committedOffset, 1n)
  })

  test('are refused for what does not exist', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    const { code } = errors.unknownTopicOrPartition
    assert.equal(await commit(at.wire, 1n, { topic: 'nowhere' }), code)
    assert.equal(await commit(at.wire, 1n, { partition: 1 }), code)
  })

  test('of several groups are asked for at once', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    await commit(at.wire, 1n, { groupId: 'one' })
    await commit(at.wire, 2n, { groupId: 'two' })
    const groups = ['one', 'two', 'three'].map((groupId) => ({ groupId, topics: null }))
    const reply = await at.wire.ask(OffsetFetch, 8, { groups })
    assert.deepEqual(
      reply.groups.map(({ topics }) => topics[0]?.partitions[0]?.committedOffset),
      [1n, 2n, undefined],
    )
  })

  test('go with their topic', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    await commit(at.wire, 7n)
    await at.wire.ask(DeleteTopics, 5, { topicNames: ['orders'], timeoutMs: 1000 })
    await makeTopic(at.wire, 'orders')
    assert.equal((await committed(at.wire)).committedOffset, -1n)
  })

  test('are kept for seven days from when their group became empty', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    const member = await joinAlone(at.wire)
    await commit(at.wire, 7n, member)
    at.clock.pass(9_000)
    await at.wire.ask(LeaveGroup, 1, { groupId: 'group', memberId: member.memberId })
    at.clock.pass(7 * dayMs - 1_200_000)
    assert.equal((await committed(at.wire)).committedOffset, 7n)
    at.clock.pass(2_400_000)
    while ((await at.wire.ask(ListGroups, 4, {})).groups.length > 0);
    assert.equal((await committed(at.wire)).committedOffset, -1n)
  })
})

describe('what survives a crash of the broker', () => {
  test('A1: a commit that was acknowledged', async () => {
    const disk = new FaultyDisk({ now: () => 0 })
    await using first = await stage(disk)
    await makeTopic(first.wire, 'orders')
    for (let offset = 1n; offset <= 20n; offset++) {
      assert.equal(await commit(first.wire, offset, { metadata: `${offset}` }), ok)
    }
    await using second = await stage(disk.crash())
    const { committedOffset, metadata } = await committed(second.wire)
    assert.deepEqual([committedOffset, metadata], [20n, '20'])
  })

  test('a member and its assignment', async () => {
    const disk = new FaultyDisk({ now: () => 0 })
    await using first = await stage(disk)
    const { memberId, generation } = await joinAlone(first.wire)
    await using second = await stage(disk.crash())
    const claim = { groupId: 'group', generationId: generation, memberId }
    assert.equal((await second.wire.ask(Heartbeat, 3, claim)).errorCode, ok)
    const synced = await second.wire.ask(SyncGroup, 3, { ...claim, assignments: [] })
    assert.equal(Buffer.from(synced.assignment).toString(), 'part')
  })

  test('A1: a commit waits for the device', async () => {
    const disk = new FaultyDisk({ now: () => 0 })
    await using at = await stage(disk)
    await makeTopic(at.wire, 'orders')
    disk.ignoreSyncs(() => true)
    await commit(at.wire, 7n)
    await using after = await stage(disk.crash())
    assert.notEqual((await committed(after.wire)).committedOffset, 7n, 'the disk had lied')
  })

  test('A1: an assignment is handed out when it is on the device, not before', async () => {
    let hold: Promise<void> | undefined
    const disk = new FaultyDisk({ now: () => 0, syncDelay: async () => hold })
    await using at = await stage(disk)
    await using other = await clientOf(at.broker)
    const synced = Promise.withResolvers<void>()
    hold = synced.promise
    const member = joinAlone(at.wire)
    for (let turn = 0; turn < 5; turn++) await other.ask(ListGroups, 4, {})
    assert.equal(at.wire.waiting, 1)
    synced.resolve()
    await member
  })

  test('a disk that fails is told to who commits, and nothing is pretended', async () => {
    const disk = new FaultyDisk({ now: () => 0 })
    await using at = await stage(disk)
    await makeTopic(at.wire, 'orders')
    disk.failNextWrite('full')
    assert.equal(await commit(at.wire, 7n), errors.coordinatorNotAvailable.code)
    assert.equal((await committed(at.wire)).committedOffset, -1n)
    assert.equal(await commit(at.wire, 8n), ok)
  })
})

describe('what tools see', () => {
  test('a stable group with its members, and the state of an empty one', async () => {
    await using at = await stage()
    const { memberId } = await joinAlone(at.wire, 'busy')
    await joinAlone(at.wire, 'idle').then((member) =>
      at.wire.ask(LeaveGroup, 1, { groupId: 'idle', memberId: member.memberId }),
    )
    const { groups } = await at.wire.ask(DescribeGroups, 5, { groups: ['busy', 'idle', 'none'] })
    assert.deepEqual(
      groups.map(({ groupState }) => groupState),
      ['Stable', 'Empty', 'Dead'],
    )
    const [member] = groups[0]?.members ?? []
    assert.equal(member?.memberId, memberId)
    assert.equal(member.clientId, 'wire-client')
    assert.equal(Buffer.from(member.memberAssignment).toString(), 'part')
    const listed = await at.wire.ask(ListGroups, 4, { statesFilter: ['empty'] })
    assert.deepEqual(
      listed.groups.map(({ groupId }) => groupId),
      ['idle'],
    )
  })

  test('a group is deleted with its offsets, but not while it has members', async () => {
    await using at = await stage()
    await makeTopic(at.wire, 'orders')
    const { memberId } = await joinAlone(at.wire)
    await commit(at.wire, 3n, { memberId, generation: 1 })
    const remove = async (groupId: string) => {
      const { results } = await at.wire.ask(DeleteGroups, 2, { groupsNames: [groupId] })
      return results[0]?.errorCode
    }
    assert.equal(await remove('group'), errors.nonEmptyGroup.code)
    await at.wire.ask(LeaveGroup, 1, { groupId: 'group', memberId })
    assert.equal(await remove('group'), ok)
    assert.equal((await committed(at.wire)).committedOffset, -1n)
    assert.equal(await remove('group'), errors.groupIdNotFound.code)
  })
})

describe('what a join is refused', () => {
  const wish = {
    groupId: 'group',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
  }
  const refusals = [
    ['an empty group id', { groupId: '' }, errors.invalidGroupId],
    ['a session that is too short', { sessionTimeoutMs: 5_999 }, errors.invalidSessionTimeout],
    ['a session that is too long', { sessionTimeoutMs: 1_800_001 }, errors.invalidSessionTimeout],
    ['a member id in a group that there is not', { memberId: 'x' }, errors.unknownMemberId],
  ] as const
  for (const [what, change, error] of refusals) {
    test(what, async () => {
      await using at = await stage()
      const reply = await at.wire.ask(JoinGroup, 5, { ...wish, ...change })
      assert.equal(reply.errorCode, error.code)
      assert.deepEqual((await at.wire.ask(ListGroups, 4, {})).groups, [])
    })
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupStory } from '../../test/group-story.ts'
import { evolve, type GroupEvent, type GroupState, noGroup, type Settled } from './group.ts'
import { answers, type GroupStateName, groupStates, transitions } from './states.ts'

const settledEmpty: Settled = {
  kind: 'settled',
  protocolType: 'consumer',
  generation: 2,
  protocolName: null,
  leaderId: null,
  members: [],
  atMs: 0,
}

/** A state of each name, as real requests bring it about. */
function stateNamed(name: GroupStateName): GroupState {
  const story = new GroupStory()
  if (name === 'empty') return story.state
  if (name === 'dead') return evolve(story.state, { kind: 'deleted' })
  story.settle('a')
  if (name === 'stable') return story.state
  story.join('b')
  if (name === 'preparingRebalance') return story.state
  story.rejoin('a')
  return story.state
}

/** The fact that takes a state to another one, if any fact may. */
const eventTo: Readonly<Record<GroupStateName, GroupEvent>> = {
  empty: settledEmpty,
  preparingRebalance: { kind: 'rebalanceBegan', firstRound: null },
  completingRebalance: {
    kind: 'generationFormed',
    generation: 2,
    protocolName: 'range',
    leaderId: 'a',
  },
  stable: { ...settledEmpty, members: [...stateNamed('stable').members.values()] },
  dead: { kind: 'deleted' },
}

for (const from of groupStates) {
  for (const to of groupStates) {
    if (from === to) continue
    const isRestart =
      `${from} to ${to}` === 'empty to stable' || `${from} to ${to}` === 'stable to empty'
    const isAllowed = transitions[from].includes(to) || isRestart
    test(`G2: a group ${isAllowed ? 'may' : 'never can'} go from ${from} to ${to}`, () => {
      const state = stateNamed(from)
      assert.equal(state.kind, from)
      if (isAllowed) assert.equal(evolve(state, eventTo[to]).kind, to)
      else assert.throws(() => evolve(state, eventTo[to]), { code: 'ERR_ASSERTION' })
    })
  }
}

test('a dead group answers nothing but that it is gone', () => {
  assert.deepEqual(answers.dead, {
    heartbeat: 'gone',
    sync: 'gone',
    commit: 'gone',
    rejoin: 'gone',
  })
  assert.deepEqual(transitions.dead, [])
})

test('a group begins empty', () => {
  assert.equal(noGroup.kind, 'empty')
})

// The life of a group, as data: what each state answers, and to which states it may go. The same
// five states as Kafka's classic group.
//
//   empty                no members; offsets may be there
//   preparingRebalance   members are joining; whoever joins waits
//   completingRebalance  the generation is formed; its members wait for the leader's assignment
//   stable               every member has its assignment
//   dead                 deleted

export const groupStates = [
  'empty',
  'preparingRebalance',
  'completingRebalance',
  'stable',
  'dead',
] as const

export type GroupStateName = (typeof groupStates)[number]

/** What a state answers to requests of its members, once they are known to be that. */
export interface StateAnswers {
  readonly heartbeat: 'ok' | 'rebalanceInProgress' | 'unknownMember' | 'gone'
  readonly sync: 'park' | 'assignment' | 'rebalanceInProgress' | 'unknownMember' | 'gone'
  readonly commit: 'ok' | 'rebalanceInProgress' | 'gone'
  /**
   * `park` waits for the round that is open; `repeat` tells the generation again to a member that
   * asks with the same protocols (`repeatToFollower`: not to the leader, who wants a new round).
   */
  readonly rejoin: 'park' | 'repeat' | 'repeatToFollower' | 'unknownMember' | 'gone'
}

export const answers: Readonly<Record<GroupStateName, StateAnswers>> = {
  empty: {
    heartbeat: 'unknownMember',
    sync: 'unknownMember',
    commit: 'ok',
    rejoin: 'unknownMember',
  },
  preparingRebalance: {
    heartbeat: 'rebalanceInProgress',
    sync: 'rebalanceInProgress',
    commit: 'ok',
    rejoin: 'park',
  },
  completingRebalance: {
    heartbeat: 'ok',
    sync: 'park',
    commit: 'rebalanceInProgress',
    rejoin: 'repeat',
  },
  stable: { heartbeat: 'ok', sync: 'assignment', commit: 'ok', rejoin: 'repeatToFollower' },
  dead: { heartbeat: 'gone', sync: 'gone', commit: 'gone', rejoin: 'gone' },
}

/** To which other states a state may go. */
export const transitions: Readonly<Record<GroupStateName, readonly GroupStateName[]>> = {
  empty: ['preparingRebalance', 'dead'],
  preparingRebalance: ['completingRebalance', 'empty', 'dead'],
  completingRebalance: ['stable', 'preparingRebalance', 'dead'],
  stable: ['preparingRebalance', 'dead'],
  dead: [],
}

/** Kafka's names, as tools show them. */
export const stateNames: Readonly<Record<GroupStateName, string>> = {
  empty: 'Empty',
  preparingRebalance: 'PreparingRebalance',
  completingRebalance: 'CompletingRebalance',
  stable: 'Stable',
  dead: 'Dead',
}

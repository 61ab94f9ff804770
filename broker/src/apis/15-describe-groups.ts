// DescribeGroups shows the state, the protocol and the members of groups. Their subscriptions and
// assignments are told of stable groups only, as in Kafka; a group that is unknown is `Dead`.

import { DescribeGroups, errors, type ResponseInput } from '@millrace/wire'
import { groupOperations, operationsNotAsked } from '../authorized-operations.ts'
import type { GroupState } from '../groups/group.ts'
import { metadataOf } from '../groups/members.ts'
import { stateNames } from '../groups/states.ts'
import { handler } from '../handler.ts'

type GroupResponse = ResponseInput<typeof DescribeGroups>['groups'][number]

export const describeGroups = handler(DescribeGroups, (request, { broker }) => ({
  groups: request.groups.map((groupId) => ({
    ...describe(groupId, broker.groups.find(groupId)?.state),
    authorizedOperations: request.includeAuthorizedOperations
      ? groupOperations
      : operationsNotAsked,
  })),
}))

function describe(groupId: string, state: GroupState | undefined): GroupResponse {
  const isStable = state?.kind === 'stable'
  const nothing = new Uint8Array(0)
  return {
    errorCode: groupId === '' ? errors.invalidGroupId.code : errors.none.code,
    groupId,
    groupState: stateNames[state?.kind ?? 'dead'],
    protocolType: state?.protocolType ?? '',
    protocolData: isStable ? (state.protocolName ?? '') : '',
    members: [...(state?.members.values() ?? [])].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, state.protocolName) : nothing,
      memberAssignment: isStable ? member.assignment : nothing,
    })),
  }
}

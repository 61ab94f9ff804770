import { errors } from '@millrace/wire'
import type { GroupState } from './group.ts'
import { staticMember } from './members.ts'
import type { Claim } from './requests.ts'

/**
 * What is wrong with somebody's claim to be a member: a static member is known by its instance id,
 * and whoever took that id over fences the one before (KIP-345). 0 when nothing is wrong.
 */
export function claimError({ members }: GroupState, { memberId, groupInstanceId }: Claim): number {
  if (groupInstanceId !== null) {
    const current = staticMember(members, groupInstanceId)
    if (current === undefined) return errors.unknownMemberId.code
    if (current.memberId !== memberId) return errors.fencedInstanceId.code
  }
  return members.has(memberId) ? errors.none.code : errors.unknownMemberId.code
}

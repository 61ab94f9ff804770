import { ConsumerSubscription, decodeVersioned, WireError } from '@millrace/wire'

/** A way of assigning partitions that a member offers, the one that it likes best first. */
export interface Protocol {
  readonly name: string
  /** The member's subscription; the broker does not look inside. */
  readonly metadata: Uint8Array
}

export interface Member {
  readonly memberId: string
  /** The stable name of a static member (KIP-345); `null` for a dynamic one. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocols: readonly Protocol[]
  /** What the leader gave it in this generation; no bytes before that. */
  readonly assignment: Uint8Array
}

export type Members = ReadonlyMap<string, Member>

/** Whether a member asks for just what it asked for before. */
export function offersSame(member: Member, protocols: readonly Protocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]
      return other?.name === name && Buffer.compare(metadata, other.metadata) === 0
    })
  )
}

/**
 * Whether a static member that came back wants what it had: the same protocols, and, where they
 * are those of consumers, the same topics. What it owned before it went does not matter.
 */
export function wantsSame(member: Member, protocols: readonly Protocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]
      if (other?.name !== name) return false
      if (Buffer.compare(metadata, other.metadata) === 0) return true
      const topics = topicsOf(metadata)
      return topics !== undefined && topics === topicsOf(other.metadata)
    })
  )
}

/** Whether one of the protocols is offered by every member. */
export function hasCommonProtocol(members: Members, protocols: readonly Protocol[]): boolean {
  return protocols.some(({ name }) => isOfferedByAll(members, name))
}

/**
 * The protocol that the members vote for: each for the first of its own that all of them offer.
 * Equal votes go to the one that was voted for first.
 */
export function electProtocol(members: Members): string | null {
  const votes = new Map<string, number>()
  for (const { protocols } of members.values()) {
    const choice = protocols.find(({ name }) => isOfferedByAll(members, name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  const [elected] = [...votes].sort(([, left], [, right]) => right - left)
  return elected?.[0] ?? null
}

/** What a member says under the elected protocol. */
export function metadataOf(member: Member, protocolName: string | null): Uint8Array {
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  return protocol?.metadata ?? new Uint8Array(0)
}

/** The member that has this instance id now. */
export function staticMember(members: Members, groupInstanceId: string): Member | undefined {
  for (const member of members.values()) {
    if (member.groupInstanceId === groupInstanceId) return member
  }
  return undefined
}

/** The longest that any member wants to wait for the others. */
export function longestRebalanceTimeout(members: Members): number {
  let longest = 0
  for (const { rebalanceTimeoutMs } of members.values()) {
    longest = Math.max(longest, rebalanceTimeoutMs)
  }
  return longest
}

/** The topics of a consumer's subscription as one text; `undefined` when it is none. */
function topicsOf(metadata: Uint8Array): string | undefined {
  try {
    const { topics } = decodeVersioned(ConsumerSubscription, metadata).value
    return [...topics].sort().join()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

function isOfferedByAll(members: Members, name: string): boolean {
  for (const { protocols } of members.values()) {
    if (!protocols.some((protocol) => protocol.name === name)) return false
  }
  return true
}

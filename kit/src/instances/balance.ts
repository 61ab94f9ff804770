import { allSlots } from './slot.ts'

/** Which instances there are, and who holds which slot, as the database knew it a moment ago. */
export interface Roll {
  /** This instance. */
  readonly me: number
  /** All instances that are there, this one among them. */
  readonly members: readonly number[]
  /** The holder of each slot that is held. */
  readonly holders: ReadonlyMap<number, number>
}

export interface Balance {
  /** Free slots that this instance should try to take; another may be quicker. */
  readonly take: readonly number[]
  /** Slots of this instance that another should have. */
  readonly give: readonly number[]
}

/**
 * Decides what one instance does so that all hold equally many slots, give or take one. Each
 * decides for itself, from the same facts and by the same rule, and nobody leads; as long as they
 * see different facts, the locks keep a slot from having two holders.
 *
 * Y1. Never both gives and takes; takes only what nobody holds, and gives only what it holds.
 * Y2. Where all have the share that is theirs, nothing moves.
 */
export function balance({ me, members, holders }: Roll): Balance {
  const sorted = [...members].sort((a, b) => a - b)
  const rank = sorted.indexOf(me)
  const mine = allSlots.filter((slot) => holders.get(slot) === me)
  if (rank === -1) return { take: [], give: mine }
  const share = shareOf(rank, sorted.length)
  const free = allSlots.filter((slot) => !holders.has(slot))
  // Each begins elsewhere among the free ones, so that those who look at once seldom collide.
  const start = Math.floor((rank * free.length) / sorted.length)
  const inTurn = [...free.slice(start), ...free.slice(0, start)]
  return { take: inTurn.slice(0, Math.max(0, share - mine.length)), give: mine.slice(share) }
}

function shareOf(rank: number, members: number): number {
  const slots = allSlots.length
  return Math.floor(slots / members) + (rank < slots % members ? 1 : 0)
}

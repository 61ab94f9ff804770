import type { OutboxPlace } from '../outbox/place.ts'
import { allSlots } from './slot.ts'

/**
 * The instances of one service on one database, as one of them sees them: the work that only one
 * of them may do is shared out by slots (see `slot.ts`), and each may call the others.
 */
export interface Instances {
  /** The name of this one in its consumer group; null where the store has but one. */
  readonly name: string | null
  onRenamed(renamed: (name: string) => void): void
  /** Whether work of the slot may be begun here, now. Ask again before each piece of work. */
  owns(slot: number): boolean
  /** The slots of which `owns` is true. */
  owned(): readonly number[]
  /** Takes part in the work of slots. Returns the way to stop it. */
  join(worker: SlotWorker): () => void
  /** Tells the others, soon and as seldom as that allows, that there is something to do. */
  call(call: Call): void
  /** Gives up all slots, once what runs in them has ended. */
  stop(): Promise<void>
}

/** What does work in slots. */
export interface SlotWorker {
  /** Slots are ours from now on. What their last owner began may still be on its way. */
  gained(slots: readonly number[]): void
  /** `owns` is false by now; resolves once nothing that was begun in the slots is running. */
  ended(slots: readonly number[]): Promise<void>
  /** Another instance has called. */
  called(call: Call): void
}

/** What another instance may have to do something about. */
export type Call =
  /** Outbox rows were committed that go to these places; with none named, to any. */
  | { readonly kind: 'outbox'; readonly places: readonly OutboxPlace[] }
  /** Dead letters are due that were not before. */
  | { readonly kind: 'letters' }
  /** An operator has paused or resumed a handler, or has asked for a job. */
  | { readonly kind: 'orders' }

/** The only instance, which owns all: on SQLite, and where a test needs no more. */
export const soleInstance: Instances = {
  name: null,
  onRenamed: () => {},
  owns: () => true,
  owned: () => allSlots,
  join: () => () => {},
  call: () => {},
  stop: async () => {},
}

import type { DatabaseConnection, Kysely } from 'kysely'
import type { KitTables } from './kit-tables.ts'
import type { LastWrite } from './last-write.ts'

/** The right to write in one transaction, until it is kept or dropped. */
export interface Turn {
  readonly isHeld: boolean
  /** Ends the turn. Resolves once what it wrote is on disk. */
  keep(): Promise<void>
  /** Ends the turn and undoes what it wrote. Does nothing if it has ended. */
  drop(): void | Promise<void>
}

export interface TurnOptions {
  /** Who holds it, for the error that says that it was held too long. */
  readonly name: string
  readonly heldMsMax: number
  /** Called when it has ended against its holder's will, with what its queries throw now. */
  readonly lost: (reason: Error) => void
}

/** A turn, and the connections on which its holder writes while it is held. */
export interface TakenTurn {
  readonly turn: Turn
  readonly connection: DatabaseConnection
  /** For what the kit runs first and last: an error there ends the turn anyway. */
  readonly hooksConnection: DatabaseConnection
  /**
   * Keeps the turn, and leaves it to those who share the transaction to write this last, on the
   * connection of any of them. Absent where nobody shares it.
   */
  readonly keepWith?: (last: PendingWrite) => Promise<void>
}

/** A last write, and where it may be done until its turn has ended. */
export interface PendingWrite {
  readonly last: LastWrite
  readonly db: Kysely<KitTables>
}

import type { Kysely } from 'kysely'
import type { KitTables } from './kit-tables.ts'

/**
 * What is written last of all in a transaction, right before its COMMIT. Scopes that share one
 * write theirs together once all of them are ready, so that what it locks is locked in one order,
 * and for no longer than the COMMIT takes.
 */
export interface LastWrite {
  /** Both in one, this one's first; null where they are of different kinds. */
  with(other: LastWrite): LastWrite | null
  write(db: Kysely<KitTables>): Promise<void>
}

/** Each kind once, in the order in which they first came. */
export function joined(writes: readonly LastWrite[]): readonly LastWrite[] {
  const kinds: LastWrite[] = []
  for (const write of writes) {
    const at = kinds.findIndex((kind) => kind.with(write) !== null)
    const both = kinds[at]?.with(write) ?? null
    if (both === null) kinds.push(write)
    else kinds[at] = both
  }
  return kinds
}

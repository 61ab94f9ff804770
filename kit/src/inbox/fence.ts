import { type Kysely, sql, type Transaction } from 'kysely'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect, Store } from '../store/store.ts'
import { type AssignedPartition, partitionKey } from '../transport/transport.ts'

/** Thrown inside a transaction whose partition another has claimed; nothing of it commits. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
}

/** The right to commit what was done with the records of one partition. */
export interface Claim {
  readonly group: string
  readonly topicId: string
  readonly partition: number
  readonly number: number
}

/**
 * Keeps an instance from committing what it did with a partition that is another's by now: its
 * process stood still, or did not hear of the rebalance. On assignment, before anything of a
 * partition is handled, the instance claims it in the store; each transaction that says something
 * of the partition finds the claim unchanged, or commits nothing.
 *
 * F1. A claim waits for the transactions that hold the one before it: once it has committed,
 *     nothing commits any more under an earlier one.
 * F2. A claim of a lower generation than the last is refused: its assignment is old news. A group
 *     that was deleted begins at generation 1 again, so one that is refused, joins anew, and is
 *     given the partition again, takes it, unless somebody else has claimed it meanwhile.
 * F3. A claim is that of one assignment. What came in under an earlier one of the same instance
 *     is fenced, too.
 *
 * It fences the database and nothing else: a handler that runs on without its partition may
 * still send a mail or call a neighbour. Its signal fires as soon as the instance knows.
 */
export class Fence {
  readonly #store: Store<KitTables>
  readonly #group: string
  readonly #claims = new WeakMap<object, Claim>()
  /** The claims that stood in the way of ours, by partition (F2). */
  readonly #refusedBy = new Map<string, number>()

  constructor(store: Store<KitTables>, group: string) {
    this.#store = store
    this.#group = group
  }

  /** Throws `Fenced` where a claim is refused (F2); none of them is made then. */
  async claim(partitions: readonly AssignedPartition[]): Promise<void> {
    // In one order, so that two instances that claim at once cannot deadlock each other.
    const sorted = partitions.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    const numbers = await this.#store.transaction('claim partitions', async (db) => {
      const claimed: number[] = []
      for (const partition of sorted) claimed.push(await this.#claimOne(db, partition))
      return claimed
    })
    for (const [index, partition] of sorted.entries()) {
      const number = numbers[index]
      if (number === undefined) continue
      const { topicId, partition: place } = partition
      this.#claims.set(partition, { group: this.#group, topicId, partition: place, number })
      this.#refusedBy.delete(nameOf(partition))
    }
  }

  /** The claim under which a record came in; null where it was stored, or nobody claimed. */
  claimOf(origin: object): Claim | null {
    return this.#claims.get(origin) ?? null
  }

  async #claimOne(db: Transaction<KitTables>, partition: AssignedPartition): Promise<number> {
    const refusedBy = this.#refusedBy.get(nameOf(partition)) ?? -1
    const place = { group_name: this.#group, topic_id: partition.topicId }
    const claimed = await db
      .insertInto('millrace_partitions')
      .values({
        ...place,
        partition: partition.partition,
        generation: partition.generation,
        claim: 1,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['group_name', 'topic_id', 'partition'])
          .doUpdateSet({
            generation: partition.generation,
            claim: sql<number>`millrace_partitions.claim + 1`,
          })
          .where((is) =>
            is.or([
              is('millrace_partitions.generation', '<=', partition.generation),
              is('millrace_partitions.claim', '=', refusedBy),
            ]),
          ),
      )
      .returning('claim')
      .executeTakeFirst()
    if (claimed !== undefined) return claimed.claim
    const last = await db
      .selectFrom('millrace_partitions')
      .select('claim')
      .where('group_name', '=', this.#group)
      .where('topic_id', '=', partition.topicId)
      .where('partition', '=', partition.partition)
      .executeTakeFirst()
    if (last !== undefined) this.#refusedBy.set(nameOf(partition), last.claim)
    throw fencedFrom(partitionKey(partition))
  }
}

/**
 * Throws `Fenced` where the claim is not the last one, and keeps it the last until the transaction
 * ends (F1). For a transaction that writes no inbox row; see `admission.ts` for those that do.
 */
export async function holdClaim(
  db: Kysely<KitTables>,
  claim: Claim | null,
  dialect: Dialect,
): Promise<void> {
  if (claim === null) return
  const held = await db
    .selectFrom('millrace_partitions')
    .select('claim')
    .where('group_name', '=', claim.group)
    .where('topic_id', '=', claim.topicId)
    .where('partition', '=', claim.partition)
    .where('claim', '=', claim.number)
    .$if(dialect === 'postgres', (query) => query.forShare())
    .executeTakeFirst()
  if (held === undefined) throw fencedFrom(`${claim.topicId}/${claim.partition}`)
}

function fencedFrom(partition: string): Fenced {
  return new Fenced(`${partition} was claimed by another instance`)
}

function nameOf({ topicId, partition }: AssignedPartition): string {
  return `${topicId}/${partition}`
}

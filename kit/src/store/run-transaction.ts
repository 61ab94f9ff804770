import type { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'kysely'
import { MillraceError } from '../errors.ts'
import type { KitTables } from './kit-tables.ts'
import type { Scope } from './store.ts'

/** The transaction that the calling code runs in, to name one that would wait for itself. */
export type CurrentTransaction = AsyncLocalStorage<{
  readonly name: string
  readonly scope: Scope<KitTables>
}>

export interface RunTransactionOptions<Result> {
  readonly current: CurrentTransaction
  readonly name: string
  readonly scope: Scope<KitTables>
  readonly work: (db: Transaction<KitTables>) => Promise<Result>
}

/**
 * Runs `work` in a scope of its own: all of it commits, or nothing. Throws `transaction-nested`
 * inside another: it would wait for that one, or, with connections to spare, not see what it did.
 */
export async function runTransaction<Result>(
  options: RunTransactionOptions<Result>,
): Promise<Result> {
  const { current, name, scope, work } = options
  const outer = current.getStore()
  if (outer?.scope.isOpen === true) {
    throw new MillraceError(
      'transaction-nested',
      `the transaction "${name}" was begun inside "${outer.name}", which it would wait for; ` +
        'use the db of the outer one',
    )
  }
  try {
    const result = await current.run({ name, scope }, () => work(scope.db))
    await scope.commit()
    return result
  } catch (error) {
    await scope.rollback()
    throw error
  }
}

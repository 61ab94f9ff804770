import type { Transaction } from 'kysely'
import type { Clock, Random } from '../clock.ts'
import type { Correlation } from '../correlation.ts'
import { openAggregates } from '../state/open-aggregate.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { UntypedPublish, UntypedTransactionContext } from '../untyped.ts'
import type { Publisher } from './publisher.ts'

export interface TransactionContextOptions {
  readonly db: Transaction<KitTables>
  readonly publisher: Publisher
  readonly correlation: Correlation
  readonly clock: Clock
  readonly random: Random
}

/** What a handler and a transaction have alike: all that commits together. */
export function transactionContext(options: TransactionContextOptions): UntypedTransactionContext {
  const { db, publisher, correlation, clock, random } = options
  const publish: UntypedPublish = (name, body, publishOptions) =>
    publisher.publish(name, body, { ...publishOptions, correlation })
  return {
    db,
    publish,
    cancel: (scheduleId) => publisher.cancel(scheduleId, db),
    aggregate: openAggregates({ db, publish, correlation, clock, random }),
  }
}

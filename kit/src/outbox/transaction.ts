import type { Clock, Random } from '../clock.ts'
import { type Correlation, currentCorrelation } from '../correlation.ts'
import { newEventId } from '../event-id.ts'
import type { Observer } from '../observe/observer.ts'
import type { TransactionOptions } from '../server.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { UntypedTransaction } from '../untyped.ts'
import type { Outbox } from './outbox.ts'
import { Publisher } from './publisher.ts'
import { transactionContext } from './transaction-context.ts'

export interface TransactionTools {
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly clock: Clock
  readonly random: Random
  readonly observer: Observer
}

/**
 * The `transaction` of a running service: what `work` changes and says commits together, or not
 * at all (P1).
 */
export function openTransactions(tools: TransactionTools): UntypedTransaction {
  const { service, store, outbox, clock, random, observer } = tools
  return async (work, options = {}) => {
    const correlation = correlationOf(options, tools)
    const publisher = new Publisher({
      catalogue: service.catalogue,
      source: service.source,
      outbox,
      correlation,
      clock,
      random,
      observer,
      open: async () => {},
    })
    try {
      const result = await store.transaction(options.name ?? service.name, async (db) => {
        const value = await work(transactionContext({ db, publisher, correlation, clock, random }))
        await publisher.flush(db)
        return value
      })
      publisher.committed()
      return result
    } catch (error) {
      publisher.close()
      throw error
    }
  }
}

/** Outside of requests and handlers each transaction begins a correlation of its own. */
export function correlationOf(
  { correlationId, causationId }: TransactionOptions,
  { clock, random }: Pick<TransactionTools, 'clock' | 'random'>,
): Correlation {
  const current = currentCorrelation()
  return {
    correlationId: correlationId ?? current?.correlationId ?? newEventId(clock.nowMs(), random),
    causationId: causationId ?? current?.causationId ?? null,
    traceparent: current?.traceparent ?? null,
    tracestate: current?.tracestate ?? null,
  }
}

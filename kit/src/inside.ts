// What stores, transports and simulators of one's own are made of. It may change in any release.

export { type EventHeaders, readHeaders, writeHeaders } from './catalogue/event-headers.ts'
export { type EventBody, keyOf, readBody } from './catalogue/read-record.ts'
export { newEventId } from './event-id.ts'
export type { Call as OutboxCall, Instances, SlotWorker } from './instances/instances.ts'
export { allSlots } from './instances/slot.ts'
export { keyHash, partitionOf } from './outbox/partitioner.ts'
export { writePlainJson } from './state/plain-json.ts'
export { migrate } from './store/migrations.ts'
export { type CurrentTransaction, runTransaction } from './store/run-transaction.ts'
export { viewTables, viewTransaction } from './store/table-view.ts'
export type { TakenTurn, Turn, TurnOptions } from './store/turn.ts'
export { TurnScope } from './store/turn-scope.ts'
export { partitionKey } from './transport/transport.ts'
export {
  typedTransactionContext,
  type UntypedBatchContext,
  type UntypedHandler,
  type UntypedHandlerContext,
  type UntypedPublish,
  type UntypedServerContext,
  type UntypedTransaction,
} from './untyped.ts'

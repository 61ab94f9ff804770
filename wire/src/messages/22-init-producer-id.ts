import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { int16, int32, int64, nullableString, since, withDefault } from '../schema.ts'

/**
 * InitProducerId gives a producer the id and epoch under which it numbers its batches (KIP-98).
 *
 * - v2 flexible (KIP-482).
 * - v3 the producer may name its id and epoch to go on with them (KIP-360).
 * - v4 the error PRODUCER_FENCED (KIP-588).
 * - v5 the error TRANSACTION_ABORTABLE (KIP-890).
 *
 * Left out: v6, two-phase commit (KIP-939).
 */
export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexibleSince: 2,
  request: {
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1n),
    producerEpoch: since(3, int16, -1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: withDefault(int64, -1n),
    producerEpoch: int16,
  },
})

export type InitProducerIdRequest = RequestOf<typeof InitProducerId>
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>

// InitProducerId gives a producer the id under which it numbers its batches.
//
// - A producer that names its id (v3, KIP-360) asks because its sequence is broken; it gets a new
//   id, as from Kafka.
// - Not here: transactions. A transactional id is refused for good, and no client retries that.

import { errors, InitProducerId } from '@millrace/wire'
import { handler } from '../handler.ts'

export const initProducerId = handler(InitProducerId, async (request, { broker }) => {
  const refused = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerEpoch: -1 })
  if (request.transactionalId !== null) {
    return refused(errors.transactionalIdAuthorizationFailed.code)
  }
  try {
    const producerId = await broker.producerIds.next()
    return { throttleTimeMs: 0, errorCode: errors.none.code, producerId, producerEpoch: 0 }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    broker.report(`no producer id could be given: ${reason}`)
    return refused(errors.coordinatorNotAvailable.code)
  }
})

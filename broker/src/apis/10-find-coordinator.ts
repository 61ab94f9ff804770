// FindCoordinator names the broker that keeps a group: this one.
//
// - v1 key type; 1 asks for the coordinator of a transaction, and there is none: the error is one
//   that no client retries.
// - v4 several keys at once.
// - v6 key type 2, of share groups, is refused too.

import { errors, FindCoordinator, type KafkaError, type ResponseInput } from '@millrace/wire'
import { nodeId } from '../broker-parts.ts'
import type { Endpoint } from '../endpoint.ts'
import { handler } from '../handler.ts'

type Coordinator = NonNullable<ResponseInput<typeof FindCoordinator>['coordinators']>[number]

const keyTypes = { group: 0, transaction: 1 } as const

export const findCoordinator = handler(FindCoordinator, (request, { apiVersion, endpoint }) => {
  const { keyType } = request
  if (apiVersion >= 4) {
    return {
      coordinators: request.coordinatorKeys.map((key) => coordinatorOf(keyType, key, endpoint)),
    }
  }
  const { key: _, ...coordinator } = coordinatorOf(keyType, request.key, endpoint)
  return coordinator
})

function coordinatorOf(keyType: number, key: string, { host, port }: Endpoint): Coordinator {
  if (keyType === keyTypes.group) {
    return { key, nodeId, host, port, errorCode: errors.none.code, errorMessage: null }
  }
  const [error, message] = refusalOf(keyType)
  return { key, nodeId: -1, host: '', port: -1, errorCode: error.code, errorMessage: message }
}

function refusalOf(keyType: number): readonly [KafkaError, string] {
  return keyType === keyTypes.transaction
    ? [errors.transactionalIdAuthorizationFailed, 'this broker keeps no transactions']
    : [errors.invalidRequest, `this broker coordinates nothing of key type ${keyType}`]
}

import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  between,
  ignorable,
  int8,
  int16,
  int32,
  nullableString,
  since,
  string,
  until,
} from '../schema.ts'

/**
 * FindCoordinator says which broker keeps a group (key type 0) or a transaction (key type 1).
 *
 * - v1 key type (KIP-98), error message, throttle time.
 * - v3 flexible (KIP-482).
 * - v4 several keys at once (KIP-699): `coordinatorKeys` replaces `key`.
 * - v5 the error TRANSACTION_ABORTABLE (KIP-890).
 * - v6 share groups, key type 2 (KIP-932).
 */
export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    key: until(3, string),
    keyType: since(1, int8),
    coordinatorKeys: since(4, array(string)),
  },
  response: {
    throttleTimeMs: ignorable(since(1, int32)),
    errorCode: until(3, int16),
    errorMessage: ignorable(between([1, 3], nullableString)),
    nodeId: until(3, int32),
    host: until(3, string),
    port: until(3, int32),
    coordinators: since(
      4,
      array({
        key: string,
        nodeId: int32,
        host: string,
        port: int32,
        errorCode: int16,
        errorMessage: nullableString,
      }),
    ),
  },
})

export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>

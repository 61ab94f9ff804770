import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { bytes, ignorable, int16, int64, nullableString, since } from '../schema.ts'

/**
 * SaslAuthenticate carries the tokens of a SASL mechanism, either way (KIP-152).
 *
 * - v1 how long the session lasts (KIP-368).
 * - v2 flexible (KIP-482).
 */
export const SaslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    errorMessage: nullableString,
    authBytes: bytes,
    sessionLifetimeMs: ignorable(since(1, int64)),
  },
})

export type SaslAuthenticateRequest = RequestOf<typeof SaslAuthenticate>
export type SaslAuthenticateResponse = ResponseOf<typeof SaslAuthenticate>

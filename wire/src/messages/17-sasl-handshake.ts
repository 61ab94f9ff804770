import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { array, int16, string } from '../schema.ts'

/**
 * SaslHandshake agrees on a SASL mechanism. It was never made flexible.
 *
 * - v0 what follows on the connection are the mechanism's raw tokens.
 * - v1 they travel in SaslAuthenticate (KIP-152).
 */
export const SaslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexibleSince: null,
  request: {
    mechanism: string,
  },
  response: {
    errorCode: int16,
    mechanisms: array(string),
  },
})

export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>

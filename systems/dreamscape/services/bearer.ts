// Who asks: a user with a token of auth's, or another service.
import { createHash, timingSafeEqual } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { neighbourAnswerMs } from '../limits.ts'
import { problems } from './problems.ts'

export const issuer = 'dreamscape/auth-service'
export const userAudience = 'dreamscape'
export const algorithm = 'EdDSA'

interface Headers {
  readonly authorization?: string | undefined
}

export interface Session {
  readonly userId: string
  readonly sessionId: string
}

/** Reads users' tokens by auth's public keys: nobody is asked for each request. */
export class Tokens {
  readonly #keys: JWTVerifyGetKey

  constructor(keys: JWTVerifyGetKey) {
    this.#keys = keys
  }

  /** By the keys that auth shows, fetched at the first token and kept. */
  static of({ AUTH_SERVICE_URL: url }: { readonly AUTH_SERVICE_URL: string }): Tokens {
    const keysUrl = new URL('/auth/keys', url)
    return new Tokens(createRemoteJWKSet(keysUrl, { timeoutDuration: neighbourAnswerMs }))
  }

  /** Whose request it is. Throws a problem. */
  async read(headers: Headers): Promise<Session> {
    const token = bearerOf(headers)
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience: userAudience,
        algorithms: [algorithm],
        requiredClaims: ['sub', 'sid', 'exp'],
      })
      return { userId: String(payload.sub), sessionId: String(payload['sid']) }
    } catch (error) {
      throw refusalOf(error)
    }
  }

  /** The user, or null for somebody who shows no token. */
  async readIfAny(headers: Headers): Promise<Session | null> {
    return headers.authorization === undefined ? null : this.read(headers)
  }
}

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1). */
function bearerOf({ authorization }: Headers): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw problems.tokenMissing()
  return token
}

/** Lets only services pass, in a time that tells nothing about the token. */
export function servicesOnly(headers: Headers, serviceToken: string): void {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  if (!timingSafeEqual(digest(bearerOf(headers)), digest(serviceToken))) {
    throw problems.servicesOnly()
  }
}

function refusalOf(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return problems.tokenExpired()
  const isAboutKeys = error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)
  // jose's own plain error: the keys' address answered something else than 200.
  if (isAboutKeys || error.code === 'ERR_JOSE_GENERIC') {
    return problems.unavailable('auth does not show its keys')
  }
  return problems.tokenInvalid()
}

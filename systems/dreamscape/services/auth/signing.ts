// What auth signs: a user's token, and what resets a password (JSON Web Tokens, RFC 7519). The
// private key never leaves auth's database; everybody may read the public one.
import { randomUUID } from 'node:crypto'
import type { ServerContext } from '@millrace/kit'
import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { Dreamscape } from '../../catalogue.ts'
import { tokenLifetimeSeconds } from '../../limits.ts'
import { algorithm, issuer, type Session, userAudience } from '../bearer.ts'
import type { AuthTables } from './tables.ts'

const resetAudience = 'dreamscape/password-reset'

export class Signing {
  readonly #key: CryptoKey | Uint8Array
  readonly #keyId: string
  /** What others check signatures with (RFC 7517). */
  readonly publicKeys: JSONWebKeySet

  private constructor(key: CryptoKey | Uint8Array, jwk: JWK) {
    this.#key = key
    this.#keyId = jwk.kid ?? ''
    const { d: _secret, ...shown } = jwk
    this.publicKeys = { keys: [shown] }
  }

  /** With the key in auth's own database, made at the first start: tokens outlive a restart. */
  static async open({
    transaction,
  }: Pick<ServerContext<Dreamscape, AuthTables>, 'transaction'>): Promise<Signing> {
    const made = await newKey()
    const kept = await transaction(async ({ db }) => {
      await db
        .insertInto('secrets')
        .values({ name: 'signing-key', value: JSON.stringify(made) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      return db
        .selectFrom('secrets')
        .select('value')
        .where('name', '=', 'signing-key')
        .executeTakeFirstOrThrow()
    })
    const jwk: JWK = JSON.parse(kept.value)
    return new Signing(await importJWK(jwk, algorithm), jwk)
  }

  /** Says who the bearer is, for `tokenLifetimeSeconds`. */
  async token({ userId, sessionId }: Session): Promise<string> {
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: algorithm, kid: this.#keyId })
      .setIssuer(issuer)
      .setAudience(userAudience)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(`${tokenLifetimeSeconds}s`)
      .sign(this.#key)
  }

  /** The same token for the same reset, so that a mail that is sent again says the same. */
  async resetToken({ resetId, endsAt }: { resetId: string; endsAt: string }): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm, kid: this.#keyId })
      .setIssuer(issuer)
      .setAudience(resetAudience)
      .setJti(resetId)
      .setExpirationTime(new Date(endsAt))
      .sign(this.#key)
  }

  /** Which reset it is for; null where it is none of ours, or has expired. */
  async readReset(token: string): Promise<string | null> {
    try {
      const options = { issuer, audience: resetAudience, algorithms: [algorithm] }
      const { payload } = await jwtVerify(token, createLocalJWKSet(this.publicKeys), options)
      return payload.jti ?? null
    } catch {
      return null
    }
  }
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: randomUUID(), alg: algorithm, use: 'sig' }
}

// What a user shows after a login: a JSON Web Token (RFC 7519), signed with HS256. The secret
// never leaves the auth service; the others ask it who a token belongs to.
import { errors, jwtVerify, SignJWT } from 'jose'
import { tokenLifetimeSeconds } from '../../limits.ts'

const issuer = 'todo/auth-service'

export interface IssuedToken {
  readonly token: string
  /** RFC 3339. */
  readonly expiresAt: string
}

/** Says who the bearer is, for `tokenLifetimeSeconds`. */
export async function issueToken(
  userId: number,
  { secret, nowMs }: { secret: Uint8Array; nowMs: number },
): Promise<IssuedToken> {
  const issuedAt = Math.floor(nowMs / 1000)
  const expiresAt = issuedAt + tokenLifetimeSeconds
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(String(userId))
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(secret)
  return { token, expiresAt: new Date(expiresAt * 1000).toISOString() }
}

export type TokenOutcome =
  | { readonly kind: 'valid'; readonly userId: number; readonly expiresAt: string }
  | { readonly kind: 'expired' }
  /** Not ours, changed on the way, or no token at all. */
  | { readonly kind: 'invalid' }

export async function readToken(
  token: string,
  { secret, nowMs }: { secret: Uint8Array; nowMs: number },
): Promise<TokenOutcome> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      issuer,
      algorithms: ['HS256'],
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(nowMs),
    })
    const expiresAt = new Date((payload.exp ?? 0) * 1000).toISOString()
    return { kind: 'valid', userId: Number(payload.sub), expiresAt }
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { kind: 'expired' }
    if (error instanceof errors.JOSEError) return { kind: 'invalid' }
    throw error
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { tokenLifetimeSeconds } from '../../limits.ts'
import { issueToken, readToken } from './tokens.ts'

const secret = new Uint8Array(32).fill(7)
const nowMs = Date.parse('2025-08-25T22:30:57.000Z')

test('a token names its user until it expires, and not a second longer', async () => {
  const { token, expiresAt } = await issueToken(7, { secret, nowMs })
  assert.equal(Date.parse(expiresAt), nowMs + tokenLifetimeSeconds * 1000)

  const lastMs = Date.parse(expiresAt) - 1000
  assert.deepEqual(await readToken(token, { secret, nowMs: lastMs }), {
    kind: 'valid',
    userId: 7,
    expiresAt,
  })
  const expired = await readToken(token, { secret, nowMs: Date.parse(expiresAt) })
  assert.deepEqual(expired, { kind: 'expired' })
})

const foreign: readonly [string, () => Promise<string> | string][] = [
  ['no token at all', () => 'pass'],
  ['an empty one', () => ''],
  [
    'one without a signature',
    () => new UnsecuredJWT({ sub: '1' }).setExpirationTime('1h').encode(),
  ],
  [
    'one signed with another secret',
    async () => (await issueToken(1, { secret: new Uint8Array(32).fill(8), nowMs })).token,
  ],
  [
    'one of another issuer',
    () =>
      new SignJWT({ sub: '1' })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('elsewhere')
        .setExpirationTime(nowMs / 1000 + 60)
        .sign(secret),
  ],
  [
    'one that never expires',
    () =>
      new SignJWT({ sub: '1' })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('todo/auth-service')
        .sign(secret),
  ],
]
for (const [name, make] of foreign) {
  test(`${name} is invalid`, async () => {
    assert.deepEqual(await readToken(await make(), { secret, nowMs }), { kind: 'invalid' })
  })
}

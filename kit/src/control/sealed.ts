// An answer that only whoever asked can read, on a topic that many can: a one-time key is agreed
// on by X25519, and AES-256-GCM does the rest.

import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { isObject } from '../catalogue/json-value.ts'

/** What was sealed, in base64. */
export interface Sealed {
  readonly key: string
  readonly nonce: string
  readonly tag: string
  readonly text: string
}

/** A key pair for one question: `sealFor` goes out with it, `open` reads the answer. */
export interface Sealing {
  readonly sealFor: string
  readonly open: (sealed: unknown) => string | null
}

const algorithm = 'aes-256-gcm'

export function newSealing(): Sealing {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    sealFor: textOf(publicKey),
    open: (sealed) => (isSealed(sealed) ? opened(sealed, privateKey) : null),
  }
}

/** Null where `sealFor` is no key. */
export function seal(text: string, sealFor: string): Sealed | null {
  const theirs = keyOf(sealFor)
  if (theirs === null) return null
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const nonce = randomBytes(12)
  const cipher = createCipheriv(algorithm, secretOf(privateKey, theirs), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return {
    key: textOf(publicKey),
    nonce: nonce.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    text: sealed.toString('base64'),
  }
}

function opened({ key, nonce, tag, text }: Sealed, privateKey: KeyObject): string | null {
  const theirs = keyOf(key)
  if (theirs === null) return null
  try {
    const bytes = (part: string) => Buffer.from(part, 'base64')
    const decipher = createDecipheriv(algorithm, secretOf(privateKey, theirs), bytes(nonce))
    decipher.setAuthTag(bytes(tag))
    return Buffer.concat([decipher.update(bytes(text)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

function secretOf(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  const shared = diffieHellman({ privateKey, publicKey })
  return new Uint8Array(hkdfSync('sha256', shared, '', 'millrace answer', 32))
}

function textOf(publicKey: KeyObject): string {
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
}

function keyOf(text: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
    return key.asymmetricKeyType === 'x25519' ? key : null
  } catch {
    return null
  }
}

function isSealed(value: unknown): value is Sealed {
  return (
    isObject(value) &&
    ['key', 'nonce', 'tag', 'text'].every((name) => typeof value[name] === 'string')
  )
}

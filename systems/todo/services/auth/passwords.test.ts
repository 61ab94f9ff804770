import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashesAtOnceMax, hashesWaitingMax } from '../../limits.ts'
import { SemaphoreFull } from '../semaphore.ts'
import { Passwords } from './passwords.ts'

test('a password fits its own hash and no other', async () => {
  const passwords = await Passwords.open(new Uint8Array([1]))
  const stored = await passwords.hash('pass')
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.notEqual(await passwords.hash('pass'), stored, 'a salt makes two hashes differ')
  assert.equal(await passwords.check('pass', stored), true)
  assert.equal(await passwords.check('Pass', stored), false)
})

test('a user who does not exist waits for a hash like any other, or hears of the same crowd', async () => {
  const passwords = await Passwords.open(new Uint8Array([1]))
  const crowd = Array.from({ length: hashesAtOnceMax + hashesWaitingMax }, () =>
    passwords.hash('pass'),
  )
  await assert.rejects(passwords.check('pass', undefined), SemaphoreFull)
  await Promise.all(crowd)
})

test('a user who does not exist has no password, not even the stand-in', async () => {
  const passwords = await Passwords.open(new TextEncoder().encode('stand-in'))
  assert.equal(await passwords.check('stand-in', undefined), false)
})

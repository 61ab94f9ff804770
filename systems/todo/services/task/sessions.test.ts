import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sessionCachedMs, sessionsCachedMax } from '../../limits.ts'
import type { SessionOutcome } from '../auth/client.ts'
import { Sessions } from './sessions.ts'

function fixture(answer: (token: string) => SessionOutcome) {
  const asked: string[] = []
  const clock = { now: 0, nowMs: () => clock.now }
  const sessions = new Sessions(
    {
      readSession(token) {
        asked.push(token)
        return Promise.resolve(answer(token))
      },
    },
    clock,
  )
  return { asked, clock, sessions }
}

test('a confirmed token is asked about again only when its time is over', async () => {
  const { asked, clock, sessions } = fixture(() => ({ kind: 'valid', userId: 7 }))
  await sessions.read('a')
  clock.now = sessionCachedMs - 1
  assert.deepEqual(await sessions.read('a'), { kind: 'valid', userId: 7 })
  assert.deepEqual(asked, ['a'])
  clock.now = sessionCachedMs
  await sessions.read('a')
  assert.deepEqual(asked, ['a', 'a'])
})

test('neither a refusal nor an outage is remembered', async () => {
  for (const kind of ['refused', 'unavailable'] as const) {
    const { asked, sessions } = fixture(() => ({ kind, message: 'no', reason: 'no' }))
    await sessions.read('a')
    await sessions.read('a')
    assert.deepEqual(asked, ['a', 'a'], kind)
  }
})

test('the oldest token is forgotten when one too many is confirmed', async () => {
  const { asked, sessions } = fixture(() => ({ kind: 'valid', userId: 1 }))
  for (let number = 0; number <= sessionsCachedMax; number += 1) await sessions.read(`${number}`)
  asked.length = 0
  await sessions.read(`${sessionsCachedMax}`)
  await sessions.read('1')
  await sessions.read('0')
  assert.deepEqual(asked, ['0'])
})

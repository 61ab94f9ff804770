import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, Outage } from '../errors.ts'
import { failureOf, signatureOf } from './failure.ts'

const alike: readonly [string, unknown, unknown][] = [
  ['numbers', new Error('user 17 is unknown'), new Error('user 4 is unknown')],
  ['quoted words', new Error('no user "ann"'), new Error('no user "bob"')],
  [
    'ids',
    new Error('0196a5f0-0000-7000-8000-000000000001 is gone'),
    new Error('0196a5f0-1111-7000-8000-00000000000f is gone'),
  ],
  ['messages under one code', withCode('connect 10.0.0.1'), withCode('connect db.example')],
]
for (const [what, a, b] of alike) {
  test(`failures that differ in ${what} are alike`, () => {
    assert.equal(signatureOf(a), signatureOf(b))
  })
}

test('failures with different sentences are not alike', () => {
  assert.notEqual(signatureOf(new Error('no user')), signatureOf(new Error('no task')))
})

const thrown: readonly [string, unknown, string][] = [
  ['a string', 'broken', 'broken'],
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['an object', { a: 1 }, '[object Object]'],
  ['an empty error', new Error(''), 'the handler threw nothing'],
]
for (const [what, value, message] of thrown) {
  test(`${what} that is thrown has a reason too`, () => {
    assert.deepEqual(failureOf(value).message, message)
    assert.equal(failureOf(value).isOutage, false)
  })
}

test('a declared outage, a full disk and a locked database are outages', () => {
  assert.equal(failureOf(new Outage('smtp is down')).isOutage, true)
  assert.equal(failureOf(Object.assign(new Error('down'), { outage: true })).isOutage, true)
  assert.equal(failureOf(new MillraceError('store-full', 'full')).isOutage, true)
  assert.equal(failureOf(new MillraceError('store-locked', 'locked')).isOutage, true)
  assert.equal(failureOf(new MillraceError('event-invalid', 'bad')).isOutage, false)
})

test('an error that says it is not retriable is final, but not one of the kit to its caller', () => {
  const refused = Object.assign(new Error('no'), { retriable: false })
  assert.equal(failureOf(refused).isFinal, true)
  assert.equal(failureOf(Object.assign(new Error('no'), { retriable: true })).isFinal, false)
  assert.equal(failureOf(new Error('no')).isFinal, false)
  assert.equal(failureOf(new MillraceError('event-invalid', 'bad')).isFinal, false)
})

function withCode(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNREFUSED' })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, type MillraceErrorCode } from '../errors.ts'
import { failureOf } from '../retry/failure.ts'
import { isSpent, postgresError } from './postgres-error.ts'

const errorOf = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code })

const cases: readonly [string, Error, MillraceErrorCode][] = [
  ['a deadlock', errorOf('deadlock detected', '40P01'), 'store-conflict'],
  ['a serialization failure', errorOf('could not serialize access', '40001'), 'store-conflict'],
  ['a statement past its time', errorOf('canceling statement', '57014'), 'store-busy'],
  ['a lock that is not to be had', errorOf('could not obtain lock', '55P03'), 'store-busy'],
  ['a full disk', errorOf('could not extend file', '53100'), 'store-full'],
  ['too many connections', errorOf('sorry, too many clients already', '53300'), 'store-failed'],
  ['a server that shuts down', errorOf('terminating connection', '57P01'), 'store-failed'],
  ['a server that starts', errorOf('the database system is starting up', '57P03'), 'store-failed'],
  ['a wrong password', errorOf('password authentication failed', '28P01'), 'store-failed'],
  ['a database that is not there', errorOf('database "x" does not exist', '3D000'), 'store-failed'],
  [
    'a replica',
    errorOf('cannot execute INSERT in a read-only transaction', '25006'),
    'store-failed',
  ],
  ['a refused connection', errorOf('connect ECONNREFUSED', 'ECONNREFUSED'), 'store-failed'],
  ['a broken pipe', errorOf('write EPIPE', 'EPIPE'), 'store-failed'],
  ['an unknown host', errorOf('getaddrinfo ENOTFOUND db', 'ENOTFOUND'), 'store-failed'],
  ['a lost connection', errorOf('Connection terminated unexpectedly'), 'store-failed'],
  [
    'a query after it was lost',
    errorOf('Client has encountered a connection error and is not queryable'),
    'store-failed',
  ],
  ['a changed plan', errorOf('cached plan must not change result type', '0A000'), 'store-failed'],
]

for (const [title, error, code] of cases) {
  test(`${title} is ${code}, and no handler’s fault`, () => {
    const told = postgresError(error, 'database "shop" on db:5432')
    assert(told instanceof MillraceError)
    assert.equal(told.code, code)
    assert(told.retriable)
    assert(failureOf(told).isOutage)
    assert.equal(told.cause, error)
    assert.match(told.message, /database "shop"/)
  })
}

for (const error of [
  errorOf('duplicate key value violates unique constraint "users_email_key"', '23505'),
  errorOf('relation "connection" does not exist', '42P01'),
  errorOf('invalid input syntax for type bigint', '22P02'),
  errorOf('cross-database references are not implemented', '0A000'),
  new RangeError('it is beyond the integers'),
]) {
  test(`"${error.message}" is told as it is`, () => {
    assert.equal(postgresError(error, 'the database'), error)
    assert.equal(isSpent(error), false)
  })
}

test('a damaged table is not worth another attempt', () => {
  const told = postgresError(errorOf('could not read block 0', 'XX001'), 'the database')
  assert(told instanceof MillraceError)
  assert.equal(told.code, 'store-damaged')
  assert(!told.retriable)
})

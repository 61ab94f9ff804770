import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { errorNameOf, errorOf, errors } from './error-codes.ts'

test('the codes run from -1 without a gap, and none is given twice', () => {
  const codes = Object.values(errors).map(({ code }) => code)
  deepStrictEqual(
    codes,
    codes.map((_, index) => index - 1),
  )
})

test('a code has the name that Kafka gives it', () => {
  strictEqual(errorNameOf(errors.unknownTopicOrPartition.code), 'UNKNOWN_TOPIC_OR_PARTITION')
  strictEqual(errorNameOf(48), 'INVALID_TXN_STATE')
  strictEqual(errorNameOf(9_999), 'UNKNOWN_CODE_9999')
})

test('a code that Kafka does not have is the unknown server error, which is final', () => {
  strictEqual(errorOf(9_999), errors.unknownServerError)
  strictEqual(errorOf(9_999).retriable, false)
  strictEqual(errorOf(errors.notLeaderOrFollower.code).retriable, true)
})

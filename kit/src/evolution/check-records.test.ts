import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import type { IncomingRecord } from '../transport/transport.ts'
import { checkRecords } from './check-records.ts'

const catalogue = defineCatalogue('users', {
  'user.created': event({ version: '1.0', payload: z.object({ email: z.email() }) }),
})

async function* topicOf(...values: readonly (string | null)[]): AsyncGenerator<IncomingRecord> {
  for (const [offset, value] of values.entries()) {
    yield {
      topic: 'user.created',
      partition: 0,
      offset: BigInt(offset),
      timestampMs: 0,
      key: null,
      value: value === null ? null : new TextEncoder().encode(value),
      headers: [],
    }
  }
}

test('records that would be rejected are counted, with the first of each reason', async () => {
  const fine = '{"payload":{"email":"jane@example.com"}}'
  const wrong = '{"payload":{"email":"jane"}}'
  const records = topicOf(fine, null, wrong, '{', wrong)
  const check = await checkRecords(catalogue, records, { clusterId: 'c', topicId: 't' })
  assert.deepEqual([check.recordsRead, check.unreadable], [5, 3])
  assert.deepEqual(
    check.examples.map(({ offset }) => offset),
    [2n, 3n],
  )
  assert.match(check.examples[0]?.reason ?? '', /^payload\.email: /)
})

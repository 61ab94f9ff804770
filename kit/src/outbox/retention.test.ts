import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { relayFixture } from '../../test/relay-fixture.ts'
import { sentRetentionMs, sentRowsMax } from '../limits.ts'
import { pruneSent } from './retention.ts'

test('sent events are forgotten after an hour, and beyond their number; unsent never', async () => {
  await using it = await relayFixture()
  const insert = async (sentAtMs: number | null, rows: number) => {
    const cluster = sentAtMs === null ? null : 'cluster-1'
    await it.store.transaction('insert', (db) =>
      sql`insert into millrace_outbox
            (event_id, event_type, topic, stream, hash, value, headers, timestamp_ms,
             sent_at_ms, sent_cluster_id)
          with recursive numbers (n) as
            (select 1 union all select n + 1 from numbers where n < ${rows})
          select 'e' || n, 't', 't', 't', 0, x'', '{}', 0, ${sentAtMs}, ${cluster} from numbers`
        .execute(db)
        .then(() => {}),
    )
  }
  const nowMs = 10 * sentRetentionMs
  await insert(nowMs - sentRetentionMs - 1, 10)
  await insert(null, 5)
  await insert(nowMs - sentRetentionMs, 100)
  await insert(nowMs, sentRowsMax - 50)

  await it.store.transaction('prune', (db) => pruneSent(db, nowMs))
  assert.deepEqual(await counts(it.store.read), { unsent: 5, sent: sentRowsMax, oldest: 50 })
  await it.store.transaction('prune', (db) => pruneSent(db, nowMs + 1))
  assert.deepEqual(await counts(it.store.read), { unsent: 5, sent: sentRowsMax - 50, oldest: 0 })

  async function counts(db: typeof it.store.read) {
    const rows = await db.selectFrom('millrace_outbox').select('sent_at_ms').execute()
    return {
      unsent: rows.filter((row) => row.sent_at_ms === null).length,
      sent: rows.filter((row) => row.sent_at_ms !== null).length,
      oldest: rows.filter((row) => row.sent_at_ms === nowMs - sentRetentionMs).length,
    }
  }
})

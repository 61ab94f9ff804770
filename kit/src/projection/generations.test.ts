import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { recordForgone } from '../inbox/inbox.ts'
import { inboxKeptMsMin } from '../limits.ts'
import { ManualClock } from '../manual-clock.ts'
import { openSqlite } from '../store/sqlite.ts'
import { appliedAs, forgetApplied } from './generations.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-generations-'))
after(() => rmSync(directory, { recursive: true }))

test('what a generation applied long ago is forgotten, and nothing else', async () => {
  const clock = new ManualClock()
  const file = join(directory, 'blog.sqlite')
  await using store = await openSqlite({ file, owner: 'blog', migrations: {}, clock })
  const nowMs = clock.nowMs()
  const row = (event_id: string, subscription: string, handled_at_ms: number) => ({
    event_id,
    subscription,
    handled_at_ms,
    topic_id: 't',
    partition: 0,
    record_offset: 0,
  })
  const oldMs = nowMs - inboxKeptMsMin - 1
  await store.transaction('fill', (db) =>
    recordForgone(db, [
      row('old', appliedAs('counts', 2), oldMs),
      row('new', appliedAs('counts', 2), nowMs),
      row('old', appliedAs('counts', 3), oldMs),
      row('old', 'post.liked', oldMs),
    ]),
  )
  const state = { name: 'counts', serving: 2 }
  assert.equal(await store.transaction('forget', (db) => forgetApplied(db, state, nowMs)), 1)
  const left = await store.read.selectFrom('millrace_inbox').select(['event_id']).execute()
  assert.deepEqual(left.map(({ event_id: id }) => id).toSorted(), ['new', 'old', 'old'])
})

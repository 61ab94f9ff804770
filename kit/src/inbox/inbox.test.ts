import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import { openSqlite } from '../store/sqlite.ts'
import { pruneInbox, recordForgone } from './inbox.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-inbox-'))
after(() => rmSync(directory, { recursive: true }))

const dayMs = 24 * 60 * 60 * 1000
const nowMs = 100 * dayMs
const partition = {
  topic: 'orders',
  partition: 0,
  clusterId: 'here',
  topicId: 'orders-id',
  metadata: '',
  generation: 1,
  position: 0n,
}

const cases: readonly (readonly [what: string, row: Row, isKept: boolean])[] = [
  ['passed by the group, and a week old', { ageDays: 8, offset: 4, topicId: 'orders-id' }, false],
  ['passed by the group, and younger', { ageDays: 6, offset: 4, topicId: 'orders-id' }, true],
  ['not passed yet, after a year', { ageDays: 99, offset: 5, topicId: 'orders-id' }, true],
  ['of a topic that is gone, after a month', { ageDays: 31, offset: 9, topicId: 'gone' }, false],
  ['of a topic that is gone, and younger', { ageDays: 29, offset: 9, topicId: 'gone' }, true],
  ['of another topic of the group', { ageDays: 99, offset: 9, topicId: 'bills-id' }, true],
]

interface Row {
  readonly ageDays: number
  readonly offset: number
  readonly topicId: string
}

for (const [index, [what, row, isKept]] of cases.entries()) {
  test(`an inbox row ${what}, is ${isKept ? 'kept' : 'forgotten'}`, async () => {
    const file = join(directory, `${index}.sqlite`)
    await using store = await openSqlite({
      file,
      owner: 'test',
      migrations: {},
      clock: new ManualClock(),
    })
    const left = await store.transaction('prune', async (db) => {
      await recordForgone(db, [
        {
          event_id: 'e-1',
          subscription: 'order.placed',
          handled_at_ms: nowMs - row.ageDays * dayMs,
          topic_id: row.topicId,
          partition: 0,
          record_offset: row.offset,
        },
      ])
      const topicIds = ['orders-id', 'bills-id']
      await pruneInbox(db, partition, { committed: 5n, group: 'kitchen', nowMs, topicIds })
      return db.selectFrom('millrace_inbox').selectAll().execute()
    })
    assert.equal(left.length, isKept ? 1 : 0)
  })
}

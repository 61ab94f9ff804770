import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { openSqlite } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import type { AssignedPartition } from '../transport/transport.ts'
import { admit, Held } from './admission.ts'
import { Fence, Fenced, holdClaim } from './fence.ts'
import { Repeat } from './inbox.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-fence-'))
after(() => rmSync(directory, { recursive: true }))
let files = 0

function openStore() {
  const file = join(directory, `${files++}.sqlite`)
  return openSqlite({ file, owner: 'test', migrations: {}, clock: new ManualClock() })
}

function assigned(generation: number, partition = 0): AssignedPartition {
  return {
    topic: 'orders',
    partition,
    clusterId: 'here',
    topicId: 'orders-id',
    metadata: '',
    generation,
    position: 0n,
  }
}

interface Handling {
  readonly fence: Fence
  readonly origin: AssignedPartition
  readonly eventIds?: readonly string[]
  readonly key?: string | null
}

/** What a handler's transaction does first, for events of one partition. */
function handle(store: Store<KitTables>, handling: Handling): Promise<void> {
  const { fence, origin, eventIds = ['e-1'], key = 'ada' } = handling
  const admissions = eventIds.map((event_id, offset) => ({
    row: {
      event_id,
      subscription: 'order.placed',
      handled_at_ms: 1,
      topic_id: origin.topicId,
      partition: origin.partition,
      record_offset: offset,
    },
    claim: fence.claimOf(origin),
    key: key === null ? null : { stream: 'orders', key },
  }))
  return store.transaction('handle', (db) => admit(db, admissions, 'sqlite'))
}

async function handledIn(store: Store<KitTables>): Promise<readonly string[]> {
  const rows = await store.read.selectFrom('millrace_inbox').select('event_id').execute()
  return rows.map(({ event_id }) => event_id).sort()
}

async function hold(store: Store<KitTables>, key: string): Promise<void> {
  await store.transaction('park', async (db) => {
    await db
      .insertInto('millrace_dead_letters')
      .values({
        letter_id: `letter of ${key}`,
        state: 'parked',
        due_at_ms: null,
        subscription: 'order.placed',
        stream: 'orders',
        held_key: key,
        slot: 0,
        event_id: `event of ${key}`,
        event_type: 'order.placed',
        correlation_id: null,
        attempts: 5,
        reason: 'it fails',
        parked_at_ms: 1,
        cluster_id: 'here',
        topic_id: 'orders-id',
        topic: 'orders',
        partition: 0,
        record_offset: 0,
        record_key: null,
        record_value: null,
        record_headers: '[]',
        timestamp_ms: 1,
      })
      .execute()
  })
}

test('an instance whose partition another has claimed commits nothing of it', async () => {
  await using store = await openStore()
  const [zombie, owner] = [new Fence(store, 'group'), new Fence(store, 'group')]
  const [before, now] = [assigned(1), assigned(2)]
  await zombie.claim([before])
  await owner.claim([now])
  await assert.rejects(handle(store, { fence: zombie, origin: before }), Fenced)
  assert.deepEqual(await handledIn(store), [])
  await handle(store, { fence: owner, origin: now })
  assert.deepEqual(await handledIn(store), ['e-1'])
})

test('of a batch nothing commits where one partition of it is another’s', async () => {
  await using store = await openStore()
  const [zombie, owner] = [new Fence(store, 'group'), new Fence(store, 'group')]
  const before = assigned(1)
  await zombie.claim([before])
  await owner.claim([assigned(2)])
  const eventIds = ['e-1', 'e-2', 'e-3', 'e-4', 'e-5']
  await assert.rejects(handle(store, { fence: zombie, origin: before, eventIds }), Fenced)
  assert.deepEqual(await handledIn(store), [])
})

test('what came in under an earlier assignment of the same instance is fenced, too', async () => {
  await using store = await openStore()
  const fence = new Fence(store, 'group')
  const [before, now] = [assigned(1), assigned(1)]
  await fence.claim([before])
  await fence.claim([now])
  await assert.rejects(handle(store, { fence, origin: before }), Fenced)
  await handle(store, { fence, origin: now })
})

test('an assignment that comes late, of a lower generation, takes the partition from nobody', async () => {
  await using store = await openStore()
  const [late, owner] = [new Fence(store, 'group'), new Fence(store, 'group')]
  const now = assigned(8)
  await owner.claim([now])
  await assert.rejects(late.claim([assigned(7, 1), assigned(7)]), Fenced)
  await handle(store, { fence: owner, origin: now })
  const claims = await store.read.selectFrom('millrace_partitions').select('partition').execute()
  assert.deepEqual(claims, [{ partition: 0 }])
})

test('a group that begins at generation 1 again gets its partitions at the second try', async () => {
  await using store = await openStore()
  await new Fence(store, 'group').claim([assigned(40)])
  const fence = new Fence(store, 'group')
  await assert.rejects(fence.claim([assigned(1)]), Fenced)
  const again = assigned(1)
  await fence.claim([again])
  await handle(store, { fence, origin: again })
})

test('… unless somebody else has claimed it between the two', async () => {
  await using store = await openStore()
  const [late, owner] = [new Fence(store, 'group'), new Fence(store, 'group')]
  await owner.claim([assigned(40)])
  await assert.rejects(late.claim([assigned(1)]), Fenced)
  await owner.claim([assigned(41)])
  await assert.rejects(late.claim([assigned(1)]), Fenced)
})

test('groups and topics do not fence each other', async () => {
  await using store = await openStore()
  const [one, other] = [new Fence(store, 'one'), new Fence(store, 'other')]
  const [ours, theirs] = [assigned(1), assigned(9)]
  const elsewhere = { ...assigned(9), topicId: 'another' }
  await one.claim([ours])
  await other.claim([theirs])
  await one.claim([elsewhere])
  await handle(store, { fence: one, origin: ours })
})

test('what is put aside is fenced as what is handled', async () => {
  await using store = await openStore()
  const [zombie, owner] = [new Fence(store, 'group'), new Fence(store, 'group')]
  const [before, now] = [assigned(1), assigned(2)]
  await zombie.claim([before])
  await owner.claim([now])
  const holding = (fence: Fence, origin: AssignedPartition) =>
    store.transaction('park', (db) => holdClaim(db, fence.claimOf(origin), 'sqlite'))
  await assert.rejects(holding(zombie, before), Fenced)
  await holding(owner, now)
})

test('an event that was handled is a repeat, whatever else stands in its way', async () => {
  await using store = await openStore()
  const fence = new Fence(store, 'group')
  const origin = assigned(1)
  await fence.claim([origin])
  await handle(store, { fence, origin })
  await assert.rejects(handle(store, { fence, origin }), Repeat)
  await hold(store, 'ada')
  await assert.rejects(handle(store, { fence, origin }), Repeat)
})

test('a live event is not handled while its key has a letter, and others are', async () => {
  await using store = await openStore()
  const fence = new Fence(store, 'group')
  const origin = assigned(1)
  await fence.claim([origin])
  await hold(store, 'ada')
  await assert.rejects(handle(store, { fence, origin }), Held)
  await handle(store, { fence, origin, key: 'bob', eventIds: ['e-2'] })
  await handle(store, { fence, origin, key: null, eventIds: ['e-3'] })
  assert.deepEqual(await handledIn(store), ['e-2', 'e-3'])
})

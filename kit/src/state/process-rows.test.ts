import assert from 'node:assert/strict'
import { test } from 'node:test'
import { travel, trip } from '../../test/trip-process.ts'
import { settle } from '../../test/turns.ts'
import { MillraceError } from '../errors.ts'
import { inboxPruneEveryMs, processEndedKeptMs } from '../limits.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { openSqlite } from '../store/sqlite.ts'
import { type AnyProcessManager, defineProcess } from './process-manager.ts'
import { ProcessRetention } from './process-retention.ts'
import { lockProcess, readProcess, saveProcess } from './process-rows.ts'
import { newInstance, type ProcessInstance } from './process-step.ts'

async function fixture() {
  const clock = new ManualClock()
  const store = await openSqlite({ file: ':memory:', owner: 'agency', migrations: {}, clock })
  const lock = (manager: AnyProcessManager, id: string) =>
    store.transaction('lock', (db) =>
      lockProcess(db, { manager, id }, { correlationId: 'c', nowMs: clock.nowMs() }),
    )
  return {
    clock,
    store,
    lock,
    async save(id: string, change: Partial<ProcessInstance>) {
      const { version } = await lock(trip, id)
      const instance = { ...newInstance(trip, id), ...change }
      await store.transaction('save', (db) =>
        saveProcess(db, { manager: trip, instance, version }, clock.nowMs()),
      )
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

test('the first who locks a process makes its row, the next finds what was saved', async () => {
  await using at = await fixture()
  const first = await at.lock(trip, '7')
  assert.deepEqual(first, { instance: newInstance(trip, '7'), isNew: true, version: 1 })
  await at.save('7', { state: { next: 'hotel' }, timers: { 'payment overdue': 3 }, timersSet: 3 })
  const next = await at.lock(trip, '7')
  assert.equal(next.isNew, false)
  assert.deepEqual(next.instance.state, { next: 'hotel' })
  assert.deepEqual(next.instance.timers, { 'payment overdue': 3 })
  assert.equal(next.instance.timersSet, 3)
})

test('two that hold one row at once, as in one database transaction, cannot both save', async () => {
  await using at = await fixture()
  const first = await at.lock(trip, '7')
  const second = await at.lock(trip, '7')
  const save = ({ instance, version }: typeof first) =>
    at.store.transaction('save', (db) => saveProcess(db, { manager: trip, instance, version }, 0))
  await assert.rejects(save(first), /process "trip" 7 was changed by another at once/)
  await save(second)
})

test('a state of an older version is upgraded, or told by name', async () => {
  await using at = await fixture()
  await at.save('7', { state: { next: 'hotel' } })
  const base = { catalogue: travel, initial: () => ({ steps: 0 }), stateVersion: 2 }
  const upgraded = defineProcess('trip', {
    ...base,
    upgrade(state, version) {
      assert.deepEqual({ state, version }, { state: { next: 'hotel' }, version: 1 })
      return { steps: 2 }
    },
  })
  assert.deepEqual((await at.lock(upgraded, '7')).instance.state, { steps: 2 })
  assert.deepEqual((await readProcess(at.store.read, upgraded, '7'))?.state, { steps: 2 })
  await assert.rejects(at.lock(defineProcess('trip', base), '7'), (error) => {
    assert(error instanceof MillraceError)
    assert.equal(error.code, 'process-unreadable')
    assert.match(error.message, /state of version 1, and the program is at 2; give it an upgrade/)
    return true
  })
})

test('a state that could not be read back is refused', async () => {
  await using at = await fixture()
  const state = { since: new Date(0) }
  await assert.rejects(at.save('7', { state }), /state of process "trip" 7 .* since is a Date/)
})

test('a process that ended is kept for a week and then forgotten; one that runs is kept', async () => {
  await using at = await fixture()
  const { clock, store } = at
  await at.save('ended', { status: 'ended' })
  await at.save('running', {})
  const retention = new ProcessRetention({ store, clock, log: silentLog })
  retention.start()
  const pruned = async () => {
    await clock.advance(inboxPruneEveryMs)
    await settle()
    const rows = await store.read.selectFrom('millrace_processes').select('process_id').execute()
    return rows.map(({ process_id }) => process_id).sort()
  }
  assert.deepEqual(await pruned(), ['ended', 'running'])
  await clock.advance(processEndedKeptMs)
  assert.deepEqual(await pruned(), ['running'])
  await retention.stop()
  assert.equal(clock.timers, 0)
})

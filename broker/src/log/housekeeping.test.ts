import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../clock.ts'
import { ROOT } from '../disk/disk.ts'
import { checkpointIntervalMs, retentionCheckIntervalMs } from '../limits.ts'
import { Housekeeping } from './housekeeping.ts'
import { appendAll, numbered, openDisk, openLog, START_MS } from './log-fixture.ts'

/** A clock that a test moves. */
function handClock() {
  let nowMs = START_MS
  const timers = new Map<() => void, number>()
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, fire) {
      timers.set(fire, nowMs + delayMs)
      return { cancel: () => timers.delete(fire) }
    },
  }
  const move = async (byMs: number) => {
    nowMs += byMs
    for (const [fire, atMs] of timers) if (atMs <= nowMs && timers.delete(fire)) fire()
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
  }
  return { clock, move, timers }
}

test('checkpoints and retention come round, again and again, until stopped', async () => {
  const { clock, move, timers } = handClock()
  const disk = openDisk()
  const config = { segmentBytes: 200, retentionMs: 1000 }
  const { directory, log } = await openLog(disk, config, { now: () => clock.nowMs() })
  const housekeeping = new Housekeeping(directory, clock, () => {})
  await appendAll(directory, log, numbered(5))
  await move(checkpointIntervalMs)
  assert.ok(disk.list(ROOT)?.includes('recovery-point-offset-checkpoint'))
  await move(retentionCheckIntervalMs)
  assert.equal(log.logStartOffset, 5n)
  await appendAll(directory, log, numbered(5))
  await move(retentionCheckIntervalMs)
  assert.equal(log.logStartOffset, 10n)
  await housekeeping.stop()
  assert.equal(timers.size, 0)
})

test('a failure is told, and the task comes round again', async () => {
  const { clock, move, timers } = handClock()
  const disk = openDisk()
  const { directory } = await openLog(disk)
  const reports: string[] = []
  await using _ = new Housekeeping(directory, clock, (line) => reports.push(line))
  disk.failNextWrite('full')
  await move(checkpointIntervalMs)
  assert.match(reports.join(), /housekeeping of the data directory failed.*full/)
  assert.equal(timers.size, 3)
})

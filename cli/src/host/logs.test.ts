import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '@millrace/kit'
import { LogFile } from './log-file.ts'
import { Warnings } from './warnings.ts'

function temporary() {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test('a log keeps what was written before, and turns when it is full', () => {
  using place = temporary()
  const location = join(place.directory, 'logs', 'a.log')
  const lines = ['1234\n', '5678\n', 'abcd\n', 'efgh\n', 'ijkl\n']
  for (const line of lines) {
    using log = new LogFile(location, 10)
    log.write(line)
  }
  assert.equal(readFileSync(location, 'utf8'), 'ijkl\n')
  assert.equal(readFileSync(`${location}.1`, 'utf8'), 'abcd\nefgh\n')
  assert.deepEqual(readdirSync(join(place.directory, 'logs')), ['a.log', 'a.log.1'])
})

test('a line after the end is lost, and nothing else', () => {
  using place = temporary()
  const location = join(place.directory, 'a.log')
  const log = new LogFile(location, 10)
  log[Symbol.dispose]()
  log[Symbol.dispose]()
  log.write('late\n')
  assert.equal(readFileSync(location, 'utf8'), '')
})

function warnings() {
  const clock = new ManualClock()
  const shown: string[] = []
  return { clock, shown, warnings: new Warnings(clock, (line) => void shown.push(line)) }
}

const line = (level: number, msg: string, rest = {}) => JSON.stringify({ level, msg, ...rest })

test('the terminal gets warnings and errors, as sentences of the part they come from', () => {
  const { shown, warnings: sink } = warnings()
  sink.write(line(30, 'started', { name: 'task-service' }))
  sink.write(line(40, 'Kafka is away', { name: 'task-service' }))
  sink.write(line(50, 'mail failed', { service: 'notification', err: { message: 'refused' } }))
  sink.write(line(50, 'mail failed: refused', { err: { message: 'refused' } }))
  sink.write(line(40, 'a handler failed', { event: 'user.created', attempt: 2, reason: 'no' }))
  sink.write('not json \u001b[2J\n')
  sink.write('\n')
  assert.deepEqual(shown, [
    'task-service: Kafka is away',
    'notification: mail failed: refused',
    'millrace: mail failed: refused',
    'millrace: a handler failed (user.created): no',
    'not json \\u001b[2J',
  ])
})

test('a warning that repeats is counted, and shown again after half a minute', async () => {
  const { clock, shown, warnings: sink } = warnings()
  const away = line(40, 'Kafka is away')
  for (let second = 0; second < 30; second++) {
    sink.write(away)
    await clock.advance(1_000)
  }
  sink.write(line(40, 'something else'))
  sink.write(away)
  assert.deepEqual(shown, [
    'millrace: Kafka is away',
    'millrace: something else',
    'millrace: Kafka is away (and 29 times before)',
  ])
})

// Handlers of 5 ms on one partition, keyed: how near it comes to the shortest time in which so many
// handlers at once could do it. Arguments: events, and keys "uniform" or "zipf".
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { service, silentLog, startService } from '@millrace/kit'
import { catalogue } from './bench-catalogue.ts'
import { tellSamples } from './child-process.ts'
import { zipf } from './fill-topic.ts'

const [count = '0', keys = 'uniform', keyCount = '1000'] = process.argv.slice(2)
const events = Number(count)
const handlerMs = 5

/** What the kit runs at once by default. */
const atOnce = 100

const directory = mkdtempSync(join(tmpdir(), 'bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

/** No schedule is shorter than all the work by all hands, nor than the longest line of one key. */
function idealMs(): number {
  const accountOf = keys === 'zipf' ? zipf(Number(keyCount)) : (n: number) => n % Number(keyCount)
  const lines = new Map<number, number>()
  for (let number = 0; number < events; number++) {
    const account = accountOf(number)
    lines.set(account, (lines.get(account) ?? 0) + 1)
  }
  // A timer of 5 ms takes a little longer on every machine: the ideal has the same timers.
  return Math.max(events / atOnce, ...lines.values()) * timerMs
}

let timerMs = 0
for (let tried = 0; tried < 50; tried++) {
  const startedMs = performance.now()
  await sleep(handlerMs)
  timerMs += (performance.now() - startedMs) / 50
}

let left = events
let firstMs = 0
const worker = service('worker', { catalogue, group: `bench-${process.pid}` }).on(
  'bench.event',
  async () => {
    if (firstMs === 0) firstMs = performance.now()
    await sleep(handlerMs)
    if (--left > 0) return
    const tookMs = performance.now() - firstMs
    tellSamples([
      {
        measure: `5 ms handlers on one partition, ${keys} keys: the ideal's time by ours`,
        unit: 'of 1',
        better: 'more',
        figure: idealMs() / tookMs,
      },
    ])
  },
)
const env = { KAFKA_BROKERS: process.env['KAFKA_BROKERS'] ?? '' }
await startService(worker, { directory, env, log: silentLog })

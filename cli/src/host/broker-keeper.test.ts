import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '@millrace/kit'
import { BrokerKeeper, type BrokerRun } from './broker-keeper.ts'

/** A broker whose lives a test holds in its hands. */
function broker() {
  const clock = new ManualClock()
  const said: string[] = []
  const lives: Life[] = []
  const launch = () => {
    const life = new Life()
    lives.push(life)
    return life
  }
  const start = async () => {
    const started = BrokerKeeper.start({ launch, clock, say: (line) => void said.push(line) })
    lives[0]?.begin()
    return started
  }
  return { clock, said, lives, launch, start }
}

class Life implements BrokerRun {
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<string>()
  readonly ready = this.#ready.promise
  readonly ended = this.#ended.promise
  begin = () => this.#ready.resolve()
  fail = (reason: string) => this.#ready.reject(new Error(reason))
  /** A process that is gone will never be ready. */
  end = (how: string) => {
    this.#ended.resolve(how)
    this.#ready.reject(new Error(how))
  }
  stop = () => this.end('stopped')
  kill = () => this.end('killed')
}

test('a broker that cannot start is not tried again: the user gets its reason', async () => {
  const { lives, launch, clock } = broker()
  const starting = BrokerKeeper.start({ launch, clock, say() {} })
  lives[0]?.fail('the data directory is damaged')
  await assert.rejects(starting, { message: 'the data directory is damaged' })
  assert.deepEqual([lives.length, clock.timers], [1, 0])
})

test('a broker that dies is said, and is back after a short wait', async () => {
  const { start, lives, clock, said } = broker()
  const keeper = await start()
  lives[0]?.end('SIGKILL')
  await clock.advance(249)
  assert.equal(lives.length, 1)
  await clock.advance(1)
  assert.equal(lives.length, 2)
  lives[1]?.begin()
  await clock.advance(0)
  assert.deepEqual(said, [
    'the broker ended (SIGKILL); it is started again in 0.25 s. Services keep their events until then',
    'the broker runs again',
  ])
  await keeper.stop()
})

test('one that dies again and again is started less and less often', async () => {
  const { start, lives, clock } = broker()
  const keeper = await start()
  const waits: number[] = []
  for (let death = 0; death < 8; death++) {
    lives.at(-1)?.begin()
    lives.at(-1)?.end('exit code 1')
    const diedAtMs = clock.nowMs()
    while (lives.length === death + 1) await clock.advance(50)
    waits.push(clock.nowMs() - diedAtMs)
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  await clock.advance(60_000)
  lives.at(-1)?.begin()
  lives.at(-1)?.end('exit code 1')
  await clock.advance(250)
  assert.equal(lives.length, 10, 'one that ran well for a while is back at once')
  await keeper.stop()
})

test('after a stop nothing is started, neither now nor after the wait it interrupts', async () => {
  const running = broker()
  await (await running.start()).stop()
  await running.clock.advance(60_000)
  assert.equal(running.lives.length, 1)

  const waiting = broker()
  const keeper = await waiting.start()
  waiting.lives[0]?.end('SIGKILL')
  await waiting.clock.advance(0)
  await keeper.stop()
  await waiting.clock.advance(60_000)
  assert.deepEqual([waiting.lives.length, waiting.clock.timers], [1, 0])
})

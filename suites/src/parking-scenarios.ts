import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { DeadLetterClient, Outage, systemClock } from '@millrace/kit'
import { type Check, failingFor, quick } from './delivery-bench.ts'
import { sendTo, until, writeDown } from './work-service.ts'

/** P5 and P8: what fails for good is put aside, and what that means for all others. */
export function parking(check: Check): void {
  check(
    'P5: an event that always fails parks its key on both topics, all others flow',
    async (bench) => {
      const { handle, mend } = failingFor('a')
      const worker = await bench.start({ handle, handlerOptions: quick })
      await bench.send('updated', 'a', '1')
      const letters = () => worker.running.deadLetters.list()
      await until(async () => (await letters()).length === 1)
      await bench.send('completed', 'a', '2')
      await bench.send('updated', 'b', '1')
      await bench.send('updated', 'a', '3')
      await until(async () => (await letters()).length === 3)
      await bench.send('updated', 'b', '2')
      assert.deepEqual(await worker.untilDone(2), ['b 1', 'b 2'])
      const states = new Map((await letters()).map(({ eventType, state }) => [eventType, state]))
      assert.equal(states.get('task.completed'), 'behind')
      await until(async () => {
        const lags = await bench.other.lag(bench.group, [bench.work.updated, bench.work.completed])
        return lags.every(({ lag }) => lag === 0n)
      })

      // The parked key survives a restart.
      await worker.running.stop()
      const again = await bench.start({ handle, directory: worker.directory })
      await bench.send('updated', 'a', '4')
      await until(async () => (await again.running.deadLetters.list()).length === 4)
      mend()
      await again.running.deadLetters.redrive({ key: 'a' })
      await bench.send('updated', 'a', '5')
      const done = await again.untilDone(7)
      const updates = done.filter((line) => line.startsWith('a ') && line !== 'a 2')
      assert.deepEqual(updates, ['a 1', 'a 3', 'a 4', 'a 5'])
      assert.deepEqual(await again.running.deadLetters.list(), [])
    },
  )

  check('P8: what cannot be read is kept with its bytes and stops nothing', async (bench) => {
    const worker = await bench.start({})
    const bad = Buffer.from([0xff, 0x00, 0x7b])
    const record = { key: Buffer.from('a'), value: bad, headers: [], timestampMs: 1 }
    await sendTo(bench.other, bench.work.updated, 1, record)
    await bench.send('updated', 'a', '1')
    assert.deepEqual(await worker.untilDone(1), ['a 1'])
    const [letter] = await worker.running.deadLetters.list()
    assert.equal(letter?.state, 'rejected')
    assert.equal(letter.key, null)
    assert.match(letter.reason, /flat-json/)
    assert.equal((await worker.running.deadLetters.redrive({})).isOutOfOrder, true)
  })
}

/** P7, and handlers that do not behave. */
export function trouble(check: Check): void {
  check('P7: an outage parks nothing, and all is done when it is over', async (bench) => {
    let isDown = true
    const worker = await bench.start({
      handlerOptions: quick,
      handle: async (event, context) => {
        if (isDown) throw new Outage('the mail server is down')
        await writeDown(event, context)
      },
    })
    for (const task of ['a', 'bb', 'c', 'dd']) await bench.send('updated', task, '1')
    await until(async () => (await worker.running.health()).consumer?.outages.length === 1)
    assert.deepEqual(await worker.running.deadLetters.list(), [])
    isDown = false
    const done = await worker.untilDone(4)
    assert.deepEqual(new Set(done), new Set(['a 1', 'bb 1', 'c 1', 'dd 1']))
    assert.deepEqual(await worker.running.deadLetters.list(), [])
  })

  check('a handler that never comes back fails alone, and its event comes again', async (bench) => {
    let isStuck = true
    const worker = await bench.start({
      handlerOptions: { ...quick, timeoutMs: 50 },
      handle: async (event, context) => {
        if (event.taskId === 'a' && isStuck) {
          isStuck = false
          await new Promise(() => {})
        }
        await writeDown(event, context)
      },
    })
    await bench.send('updated', 'a', '1')
    await bench.send('updated', 'b', '1')
    assert.deepEqual(await worker.untilDone(2), ['b 1', 'a 1'])
  })
}

/** What an operator does from another process, with nothing but bootstrap servers. */
export function deadLettersFromOutside(check: Check): void {
  check('dead letters are listed, redriven and discarded from another process', async (bench) => {
    const { handle, mend } = failingFor('a')
    const worker = await bench.start({ handle, handlerOptions: quick })
    const client = new DeadLetterClient({
      transport: bench.other,
      clock: systemClock,
      random: Math.random,
      askedBy: 'suite',
    })
    const letters = async () => (await client.list()).filter(({ group }) => group === bench.group)
    await bench.send('updated', 'a', '1')
    await bench.send('updated', 'a', '2')
    await until(async () => (await letters()).length === 2)
    const [head] = await letters()
    assert.equal(head?.state, 'parked')
    assert.equal(head.reason, 'task "a" is broken')

    const ask = { service: 'worker', waitMs: 15_000 } as const
    const unknown = await client.ask({ ...ask, action: 'redrive', target: { id: 'none' } })
    assert.equal(unknown.kind, 'refused')
    mend()
    const redriven = await client.ask({ ...ask, action: 'redrive', target: { id: head.id } })
    assert.deepEqual(redriven, { kind: 'done', letters: 1, isOutOfOrder: false })
    assert.deepEqual(await worker.untilDone(2), ['a 1', 'a 2'])
    await until(async () => (await letters()).length === 0)
  })

  check('a command that nobody answers is said to be unanswered', async ({ other }) => {
    const base = { transport: other, clock: systemClock, random: Math.random, askedBy: 'suite' }
    const client = new DeadLetterClient(base)
    const ask = { service: `nobody-${randomUUID()}`, action: 'redrive', target: {} } as const
    assert.deepEqual(await client.ask({ ...ask, waitMs: 200 }), { kind: 'unanswered' })
  })
}

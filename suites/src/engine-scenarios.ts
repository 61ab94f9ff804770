import assert from 'node:assert/strict'
import { type Check, failingFor, quick } from './delivery-bench.ts'
import { until, type WorkBatch, writeAllDown, writeDown } from './work-service.ts'

/** Batches, concurrency, retry topics, and handlers that do not end. */
export function engine(check: Check): void {
  batches(check)
  check('P4: with concurrency 1 one event at a time is handled, of any key', async (bench) => {
    let running = 0
    let most = 0
    const worker = await bench.start({
      handlerOptions: { concurrency: 1 },
      handle: async (event, context) => {
        running += 1
        most = Math.max(most, running)
        await new Promise((resolve) => setTimeout(resolve, 2))
        await writeDown(event, context)
        running -= 1
      },
    })
    for (const task of ['a', 'b', 'c', 'd', 'e', 'f']) await bench.send('updated', task, '1')
    await worker.untilDone(6)
    assert.equal(most, 1)
  })

  check('what waits on a retry topic outlives its service, and is done once', async (bench) => {
    const { handle } = failingFor('a')
    // Longer than the first takes to stop: it must not come to the retry itself.
    const handlerOptions = { retry: { topics: [3_000] }, onExhausted: 'skip' as const }
    const first = await bench.start({ handle, handlerOptions })
    await bench.send('updated', 'a', '1')
    await bench.send('updated', 'a', '2')
    const retries = `${bench.work.updated}.${bench.group}.retry-3s`
    await until(async () => {
      const lags = await bench.other.lag(bench.group, [retries])
      return lags.reduce((sum, { end }) => sum + end, 0n) === 2n
    })
    await first.running.stop()
    const second = await bench.start({ handlerOptions, directory: first.directory })
    await bench.send('updated', 'b', '1')
    const done = await second.untilDone(3)
    assert.deepEqual(new Set(done), new Set(['a 1', 'a 2', 'b 1']))
    assert.equal((await second.done()).length, 3)
  })

  check(
    'a handler that outlives its time limit is told, and commits nothing late',
    async (bench) => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>()
      const worker = await bench.start({
        handlerOptions: { timeoutMs: 100, retry: { attemptsMax: 1 } },
        handle: async (event, context) => {
          await gate
          await writeDown(event, context)
        },
      })
      await bench.send('updated', 'a', '1')
      const overdue = async () => (await worker.running.health()).consumer?.overdue.length ?? 0
      await until(async () => (await overdue()) === 1)
      await until(async () => (await worker.running.deadLetters.list()).length === 1)
      open()
      await until(async () => (await overdue()) === 0)
      assert.deepEqual(await worker.done(), [])
      await worker.running.deadLetters.redrive({ key: 'a' })
      assert.deepEqual(await worker.untilDone(1), ['a 1'])
    },
  )
}

function batches(check: Check): void {
  check('P3, P4: batches keep the order of each key, and do each event once', async (bench) => {
    const sizes: number[] = []
    const handle: WorkBatch = async (events, context) => {
      sizes.push(events.length)
      await writeAllDown(events, context)
    }
    const batch = { handle, options: { sizeMax: 8, waitMsMax: 50 } }
    const first = await bench.start({ batch })
    const steps = ['1', '2', '3', '4', '5', '6']
    for (const step of steps)
      for (const task of ['a', 'bb']) await bench.send('updated', task, step)
    await first.untilDone(12)
    await first.running.stop()
    const second = await bench.start({ batch, directory: first.directory })
    for (const task of ['a', 'bb']) await bench.send('updated', task, 'last')
    const done = await second.untilDone(14)
    for (const task of ['a', 'bb']) {
      const own = done.filter((line) => line.startsWith(`${task} `))
      assert.deepEqual(
        own,
        [...steps, 'last'].map((step) => `${task} ${step}`),
      )
    }
    assert.ok(Math.max(...sizes) > 1 && Math.max(...sizes) <= 8, `batches of ${sizes.join(', ')}`)
  })

  check('P5: one poison event in a batch parks alone, and its key behind it', async (bench) => {
    const handle: WorkBatch = async (events, context) => {
      if (events.some(({ taskId }) => taskId === 'x')) throw new Error('task "x" is broken')
      await writeAllDown(events, context)
    }
    const options = { ...quick, sizeMax: 16, waitMsMax: 50 }
    const worker = await bench.start({ batch: { handle, options } })
    for (const task of ['a', 'b', 'x', 'c', 'x', 'd']) await bench.send('updated', task, '1')
    await until(async () => (await worker.running.deadLetters.list()).length === 2)
    const done = await worker.untilDone(4)
    assert.deepEqual(new Set(done), new Set(['a 1', 'b 1', 'c 1', 'd 1']))
    const letters = await worker.running.deadLetters.list()
    assert.deepEqual(
      letters.map(({ key, state }) => [key, state]),
      [
        ['x', 'parked'],
        ['x', 'behind'],
      ],
    )
  })
}

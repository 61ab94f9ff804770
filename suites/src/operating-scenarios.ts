import assert from 'node:assert/strict'
import { CommandClient, systemClock } from '@millrace/kit'
import { type Bench, type Check, failingFor, quick } from './delivery-bench.ts'
import { until } from './work-service.ts'

/** More than one transaction takes. */
const many = 255

/** What operators ask a running service for: pauses, edits, dry runs, and redrives of many. */
export function operating(check: Check): void {
  check(
    'a redrive of many goes in chunks, says how far it is, and keeps the order',
    async (bench) => {
      const { handle, mend } = failingFor('a')
      const worker = await bench.start({ handle, handlerOptions: quick })
      for (let step = 0; step < many; step += 1) await bench.send('updated', 'a', String(step))
      const letters = () => worker.running.deadLetters.list()
      await until(async () => (await letters()).length === many)
      mend()
      const told: string[] = []
      const outcome = await client(bench).ask(
        {
          service: 'worker',
          action: 'redrive',
          target: { topic: bench.work.updated },
          waitMs: 15_000,
        },
        { told: ({ kind }) => told.push(kind) },
      )
      assert.deepEqual(outcome, { kind: 'done', letters: many, isOutOfOrder: false })
      assert.equal(told[0], 'begun')
      const done = await worker.untilDone(many)
      assert.deepEqual(
        done,
        Array.from({ length: many }, (_, step) => `a ${step}`),
      )
    },
  )

  check('one is tried dry, edited and redriven as the same event', async (bench) => {
    const { handle } = failingFor('a')
    const worker = await bench.start({ handle, handlerOptions: quick })
    await bench.send('updated', 'a', '1')
    const letters = () => worker.running.deadLetters.list()
    await until(async () => (await letters()).length === 1)
    const [letter] = await letters()
    const id = letter?.id ?? ''
    const ask = { service: 'worker', waitMs: 15_000 } as const
    const asker = client(bench)
    const tried = await asker.ask({ ...ask, action: 'try', target: { id }, runs: true })
    assert.equal(tried.kind === 'done' ? tried.report?.['failing'] : tried, 1)
    const misfit = await asker.ask({ ...ask, action: 'edit', id, payload: { step: 7 } })
    assert.match(misfit.kind === 'refused' ? misfit.reason : misfit.kind, /does not fit/)
    const edited = await asker.ask({ ...ask, action: 'edit', id, payload: { step: '2' } })
    assert.equal(edited.kind, 'done')
    const shown = await asker.show('worker', id, 15_000)
    assert.deepEqual('payload' in shown ? shown['payload'] : shown, { step: '2' })
    const [after] = await letters()
    assert.deepEqual([after?.eventId, typeof after?.editedBy], [letter?.eventId, 'string'])
    assert.equal((await asker.ask({ ...ask, action: 'discard', target: { id } })).kind, 'done')
  })

  check(
    'a paused handler waits, its neighbour does not, and a restart ends no pause',
    async (bench) => {
      const worker = await bench.start({})
      const ask = { service: 'worker', waitMs: 15_000 } as const
      const paused = await client(bench).ask({
        ...ask,
        action: 'pause',
        subscription: 'task.updated',
      })
      assert.equal(paused.kind, 'done')
      await bench.send('updated', 'a', '1')
      await bench.send('completed', 'b', '1')
      assert.deepEqual(await worker.untilDone(1), ['b 1'])
      await worker.running.stop()
      const again = await bench.start({ directory: worker.directory })
      await bench.send('completed', 'b', '2')
      assert.deepEqual(await again.untilDone(2), ['b 1', 'b 2'])
      const resumed = { ...ask, action: 'resume', subscription: 'task.updated' } as const
      assert.equal((await client(bench).ask(resumed)).kind, 'done')
      assert.deepEqual(await again.untilDone(3), ['b 1', 'b 2', 'a 1'])
    },
  )
}

function client({ other: transport }: Bench): CommandClient {
  return new CommandClient({
    transport,
    clock: systemClock,
    random: Math.random,
    askedBy: 'suite',
  })
}

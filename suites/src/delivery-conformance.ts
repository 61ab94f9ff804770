import assert from 'node:assert/strict'
import { type Check, checks, type DeliveryConformanceOptions } from './delivery-bench.ts'
import { engine } from './engine-scenarios.ts'
import { operating } from './operating-scenarios.ts'
import { deadLettersFromOutside, parking, trouble } from './parking-scenarios.ts'
import { sendStep, sendTo, until, type WorkHandler, writeDown } from './work-service.ts'

/** P3 to P8 of the design, as services live through them, on any Kafka. */
export function deliveryConformance(options: DeliveryConformanceOptions): void {
  const check = checks(options)
  once(check)
  moving(check)
  parking(check)
  trouble(check)
  engine(check)
  deadLettersFromOutside(check)
  operating(check)
  outages(checks(options, options.skip?.outage))
}

function once(check: Check): void {
  check(
    'P3, P4: each event is done once and in the order of its key, however often it comes',
    async (bench) => {
      const worker = await bench.start({})
      const tasks = ['a', 'bb', 'c', 'dd']
      for (const step of ['1', '2', '3']) {
        for (const task of tasks) {
          const id = await bench.send('updated', task, step)
          await sendStep(bench.other, bench.work, { name: 'task.updated', task, step, id })
        }
      }
      await worker.untilDone(12)
      for (const task of tasks) await bench.send('updated', task, 'last')
      const done = await worker.untilDone(16)
      for (const task of tasks) {
        const steps = done.filter((line) => line.startsWith(`${task} `))
        assert.deepEqual(
          steps,
          ['1', '2', '3', 'last'].map((step) => `${task} ${step}`),
        )
      }
    },
  )

  check('P3: a restart goes on where it stopped', async ({ start, send }) => {
    const first = await start({})
    await send('updated', 'a', '1')
    await first.untilDone(1)
    await first.running.stop()
    await send('updated', 'a', '2')
    const second = await start({ directory: first.directory })
    assert.deepEqual(await second.untilDone(2), ['a 1', 'a 2'])
  })

  check(
    'P3, P6: what was done and never committed comes again, and is not done again',
    async (bench) => {
      const transport = bench.connect()
      const first = await bench.start({ transport })
      for (const step of ['1', '2', '3']) await bench.send('updated', 'a', step)
      await first.untilDone(3)
      // The connection is gone before the offsets are committed.
      await transport[Symbol.asyncDispose]()
      await first.running.stop()
      const second = await bench.start({ directory: first.directory })
      await bench.send('updated', 'a', '4')
      assert.deepEqual(await second.untilDone(4), ['a 1', 'a 2', 'a 3', 'a 4'])
    },
  )

  check(
    'P3, P6: what a failing handler leaves unfinished at a stop is done after it',
    async (bench) => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>()
      const begun: string[] = []
      const first = await bench.start({
        handle: async (event) => {
          begun.push(event.payload.step)
          await gate
          throw new Error('cut short')
        },
      })
      await bench.send('updated', 'a', '1')
      await until(async () => begun.length === 1)
      const stopped = first.running.stop()
      open()
      await stopped
      const second = await bench.start({ directory: first.directory })
      assert.deepEqual(await second.untilDone(1), ['a 1'])
      assert.deepEqual(await second.running.deadLetters.list(), [])
    },
  )

  check('P1, P3: what a handler says is said once, and heard', async (bench) => {
    const worker = await bench.start({
      handle: async (event, context) => {
        await writeDown(event, context)
        if (event.eventType !== 'task.updated') return
        const { taskId, payload } = event
        await context.publish('task.completed', { taskId, payload: { step: `${payload.step}!` } })
      },
    })
    for (const step of ['1', '2', '3']) await bench.send('updated', 'a', step)
    const done = await worker.untilDone(6)
    assert.deepEqual(
      done.filter((line) => line.endsWith('!')),
      ['a 1!', 'a 2!', 'a 3!'],
    )
  })

  check('P8: a record of another program is handled like our own', async (bench) => {
    const worker = await bench.start({})
    const value = {
      eventType: 'task.updated',
      taskId: 'go',
      timestamp: '2025-08-25T22:41:54.574123456+02:00',
      payload: { step: 'by kafka-go' },
      unknown: true,
    }
    const bytes = Buffer.from(JSON.stringify(value))
    const record = { key: null, value: bytes, headers: [], timestampMs: 1_700_000_000_000 }
    for (const _ of ['two records', 'without an id']) {
      await sendTo(bench.other, bench.work.updated, 0, record)
    }
    // They are two events: a record without an id is known by its place.
    assert.deepEqual(await worker.untilDone(2), ['go by kafka-go', 'go by kafka-go'])
  })
}

function moving(check: Check): void {
  check('P6: partitions that move take nothing with them and lose nothing', async (bench) => {
    const slowly: WorkHandler = async (event, context) => {
      await new Promise((resolve) => setTimeout(resolve, 2))
      await writeDown(event, context)
    }
    const first = await bench.start({ handle: slowly })
    let sent = 0
    const send = async () => {
      sent += 1
      await bench.send('updated', sent % 2 === 0 ? 'a' : 'bb', String(sent))
    }
    // The second member comes while the first has its hands full.
    while ((await first.done()).length < 5) await send()
    const starting = bench.start({ handle: slowly })
    for (let more = 0; more < 40; more += 1) await send()
    const second = await starting
    const hasMoved = async () => (await first.done()).length > 5 && (await second.done()).length > 5
    while (!(await hasMoved())) await send()
    await second.running.stop()
    const third = await bench.start({ handle: slowly, directory: second.directory })
    for (let more = 0; more < 40; more += 1) await send()
    const done = async () => [...(await first.done()), ...(await third.done())]
    await until(async () => (await done()).length >= sent)
    // Drained and committed before they moved: nothing was done twice.
    assert.deepEqual([(await done()).length, new Set(await done()).size], [sent, sent])
  })
}

function outages(check: Check): void {
  check(
    'P1, P2: with Kafka gone for a while, what is said arrives in order when it is back',
    async (bench) => {
      const worker = await bench.start({})
      await bench.send('updated', 'a', 'before')
      await worker.untilDone(1)
      await bench.outage?.begin()
      for (const step of ['1', '2', '3']) {
        await worker.running.transaction(async ({ publish }) => {
          await publish('task.updated', { taskId: 'a', payload: { step } })
        })
      }
      assert.deepEqual(await worker.done(), ['a before'])
      await bench.outage?.end()
      assert.deepEqual(await worker.untilDone(4), ['a before', 'a 1', 'a 2', 'a 3'])
    },
  )

  check(
    'a Kafka that was wiped under a service loses nothing and swallows nothing',
    async (bench) => {
      const worker = await bench.start({})
      const say = (step: string) =>
        worker.running.transaction(async ({ publish }) => {
          await publish('task.updated', { taskId: 'a', payload: { step } })
        })
      await say('1')
      await worker.untilDone(1)
      const anonymous = {
        key: null,
        value: Buffer.from(
          JSON.stringify({ eventType: 'task.updated', taskId: 'x', payload: { step: 'no id' } }),
        ),
        headers: [],
        timestampMs: 1,
      }
      await sendTo(bench.other, bench.work.updated, 0, anonymous)
      await worker.untilDone(2)
      await bench.outage?.wipe()
      await say('2')
      // At the offset at which another record of the old cluster was handled.
      await sendTo(bench.other, bench.work.updated, 0, anonymous)
      const done = await worker.untilDone(4)
      assert.deepEqual(
        done.filter((line) => line.startsWith('a')),
        ['a 1', 'a 2'],
      )
      assert.equal(done.length, 4)
    },
  )
}

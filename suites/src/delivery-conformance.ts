import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { DeadLetterClient, Outage, systemClock, type Transport } from '@millrace/kit'
import type { TransportConformanceOptions } from './transport-conformance.ts'
import {
  sendStep,
  sendTo,
  startWorker,
  until,
  type Work,
  type WorkerOptions,
  type WorkHandler,
  workCatalogue,
  writeDown,
} from './work-service.ts'

interface Bench {
  readonly outage: Awaited<ReturnType<TransportConformanceOptions['open']>>['outage']
  readonly work: Work
  readonly group: string
  /** Another program's door to the same Kafka. */
  readonly other: Transport
  readonly connect: () => Transport
  /** A worker of this bench's group; stopped with the test. */
  readonly start: (options: Partial<WorkerOptions>) => ReturnType<typeof startWorker>
  readonly send: (name: 'updated' | 'completed', task: string, step: string) => Promise<string>
}

const quick = { retry: { attemptsMax: 3, delayMsMin: 5, delayMsMax: 10 } }

/** P3 to P8 of the design, as services live through them, on any Kafka. */
export function deliveryConformance(options: TransportConformanceOptions): void {
  const check = (title: string, run: (bench: Bench) => Promise<void>, skip?: string): void => {
    test(`${options.name}: ${title}`, skip === undefined ? {} : { skip }, async () => {
      await using stack = new AsyncDisposableStack()
      const backend = stack.use(await options.open())
      const name = randomUUID().slice(0, 8)
      const work = workCatalogue(`work.${name}`)
      const group = `worker.${name}`
      const other = stack.use(backend.connect())
      await other.ensureTopics(work.catalogue.topics)
      let sent = 0
      await run({
        outage: backend.outage,
        work,
        group,
        other,
        connect: () => backend.connect(),
        start: async (given) => {
          const transport = backend.connect()
          return stack.use(
            await startWorker({ work, group, transport, handle: writeDown, ...given }),
          )
        },
        async send(topic, task, step) {
          sent += 1
          const id = `${name}-${sent}`
          await sendStep(other, work, { name: `task.${topic}`, task, step, id })
          return id
        },
      })
    })
  }
  once(check)
  parking(check)
  trouble(check)
  moving(check)
  operating(check)
  outages((title, run) => check(title, run, options.skip?.outage))
}

type Check = (title: string, run: (bench: Bench) => Promise<void>) => void

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

function parking(check: Check): void {
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

function trouble(check: Check): void {
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

function operating(check: Check): void {
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

/** Fails for one task until it is mended, and does all others. */
function failingFor(task: string) {
  let isBroken = true
  const handle: WorkHandler = async (event, context) => {
    if (event.taskId === task && isBroken) throw new Error(`task "${task}" is broken`)
    await writeDown(event, context)
  }
  const mend = (): void => {
    isBroken = false
  }
  return { handle, mend }
}

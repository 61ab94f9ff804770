import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asked, asks } from '../../test/asking.ts'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import { commitEveryMs } from '../limits.ts'
import { CommandClient } from './command-client.ts'
import { commandsTopic } from './control-topics.ts'

const once = { retry: { attemptsMax: 1 } }
type Fixture = Awaited<ReturnType<typeof consumerFixture>>
const asking = (it: Fixture) => ({ transport: it.producer, clock: it.clock })

/** Fails while there is something to fail for; each mail is written down. */
function failing() {
  const state = { isMended: false, mails: [] as string[], gate: Promise.resolve() }
  const handle: Handle = async (event, context) => {
    const { step } = event.payload
    await state.gate
    if (step === 'two') {
      await context.effect('mail', 'ann', async () => state.mails.push('ann'))
      await context.effect('mail', 'bob', async () => {
        if (!state.isMended) throw new Error('the mailbox of bob is full')
        state.mails.push('bob')
      })
    } else if (step.startsWith('bad') && !state.isMended) throw new Error(`step ${step} fails`)
    await writeDown(event, context)
  }
  return { state, handle }
}

async function parked(it: Fixture, ...steps: readonly string[]): Promise<void> {
  for (const step of steps) await it.send('task.updated', step, step)
  for (let turn = 0; (await it.consumer.deadLetters.list()).length < steps.length; turn += 1) {
    assert.ok(turn < 100, `${steps.join(', ')} were never put aside`)
    await settle()
  }
}

test('a paused handler is not called until it is resumed, also after a restart', async () => {
  const { handle } = failing()
  const first = await consumerFixture({ handle })
  const paused = await asked(asking(first), { action: 'pause', subscription: 'task.updated' })
  assert.equal(paused.kind, 'done')
  await first.send('task.updated', 'a', '1')
  await first.send('task.completed', 'b', '1')
  assert.deepEqual(await first.untilDone(1), ['b 1'])
  await first.consumer.stop()
  await first.crash()
  await using it = await consumerFixture({ handle, earlier: first })
  await settle()
  assert.deepEqual(await it.done(), ['b 1'])
  const [pause] = it.consumer.status().paused
  assert.deepEqual([pause?.subscription, pause?.askedBy], ['task.updated', 'ann@desk'])
  assert.equal(
    (await asked(asking(it), { action: 'resume', subscription: 'task.updated' })).kind,
    'done',
  )
  assert.deepEqual(await it.untilDone(2), ['b 1', 'a 1'])
  assert.deepEqual(it.consumer.status().paused, [])
})

test('a command that makes no sense is refused with a reason that says what does', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  const cases: readonly (readonly [Parameters<typeof asked>[1], RegExp])[] = [
    [{ action: 'pause', subscription: 'task.lost' }, /handles no "task.lost", but "task.updated"/],
    [{ action: 'resume', subscription: 'task.updated' }, /"task.updated" is not paused/],
    [{ action: 'rebuild', projection: 'likes' }, /no projection "likes", but none at all/],
    [{ action: 'cancel', job: 'none' }, /there is no job "none" \(under way: none\)/],
    [{ action: 'redrive', target: { id: 'none' } }, /no dead letter has the id "none"/],
    [{ action: 'edit', id: 'none', payload: {} }, /no dead letter has the id "none"/],
    [{ action: 'show', id: 'none', sealFor: '' }, /no dead letter has the id "none"/],
  ]
  for (const [order, reason] of cases) {
    const outcome = await asked(asking(it), order)
    assert.match(outcome.kind === 'refused' ? outcome.reason : outcome.kind, reason)
  }
})

test('an edited letter is the same event with another payload, and its bytes are kept', async () => {
  const { handle } = failing()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await parked(it, 'bad')
  const [letter] = await it.consumer.deadLetters.list()
  const id = letter?.id ?? ''
  const edit = (payload: unknown) => asked(asking(it), { action: 'edit', id, payload })
  const misfit = await edit({ step: 7 })
  assert.match(misfit.kind === 'refused' ? misfit.reason : '', /the payload does not fit: .*step/)
  const rows = it.store.read.selectFrom('millrace_dead_letters').selectAll()
  const before = await rows.executeTakeFirstOrThrow()
  assert.equal(before.original_value, null)
  assert.equal((await edit({ step: 'better' })).kind, 'done')
  assert.equal((await edit({ step: 'good' })).kind, 'done')
  const after = await rows.executeTakeFirstOrThrow()
  assert.deepEqual(after.original_value, before.record_value)
  const [edited] = await it.consumer.deadLetters.list()
  assert.equal(edited?.editedBy, 'ann@desk')
  assert.match(after.record_headers, /"edited"/)
  await asked(asking(it), { action: 'redrive', target: { id } })
  assert.deepEqual(await it.untilDone(1), ['bad good'])
  const inbox = await it.store.read.selectFrom('millrace_inbox').select('event_id').execute()
  assert.ok(inbox.some(({ event_id: eventId }) => eventId === letter?.eventId))
})

test('a letter is shown whole to whoever asked, and the topic holds nothing of it', async () => {
  const { handle } = failing()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await parked(it, 'bad-secret')
  const [letter] = await it.consumer.deadLetters.list()
  const { clock, producer: transport } = it
  const client = new CommandClient({ transport, clock, random: Math.random, askedBy: 'ann' })
  const shown: unknown[] = []
  void client.show('worker', letter?.id ?? '', 1_000).then((found) => {
    shown.push(found)
  })
  for (let turn = 0; shown.length === 0 && turn < 50; turn += 1) {
    await settle()
    await clock.advance(100)
  }
  const { payload, reason } = Object(shown[0])
  assert.deepEqual(payload, { step: 'bad-secret' })
  assert.equal(reason, 'step bad-secret fails')
  const said = await transport.readFrom({ topic: commandsTopic, partition: 0 }, 0n, 100)
  assert.equal(said.length, 2)
  assert.ok(said.every(({ value }) => !Buffer.from(value ?? []).includes('secret')))
})

test('a dry run counts by event and reason, and with a run says what would succeed', async () => {
  const { state, handle } = failing()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await parked(it, 'bad1', 'bad2', 'two')
  const counted = await asked(asking(it), { action: 'try', target: {}, runs: false })
  assert.deepEqual(counted.kind === 'done' ? counted.report : counted, {
    letters: 3,
    guarded: 0,
    groups: [
      {
        eventType: 'task.updated',
        topic: 'task.updated',
        signature: 'step bad… fails',
        letters: 2,
      },
      {
        eventType: 'task.updated',
        topic: 'task.updated',
        signature: 'the mailbox of bob is full',
        letters: 1,
      },
    ],
  })
  const mails = [...state.mails]
  const run = { action: 'try', target: {}, runs: true } as const
  const failed = await asked(asking(it), run)
  assert.deepEqual(failed.kind === 'done' ? failed.report : failed, {
    succeeding: 1,
    failing: 2,
    left: 0,
    failures: { 'step bad… fails': 2 },
  })
  state.isMended = true
  const mended = await asked(asking(it), run)
  assert.equal(mended.kind === 'done' ? mended.report?.['succeeding'] : mended, 3)
  assert.deepEqual(state.mails, mails)
  assert.deepEqual(await it.done(), [])
  assert.equal((await it.consumer.deadLetters.list()).length, 3)
})

test('a second job of a kind is refused, naming the first, which can be cancelled', async () => {
  const { state, handle } = failing()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await parked(it, 'bad1', 'bad2')
  const gate = Promise.withResolvers<void>()
  state.gate = gate.promise
  const run = { action: 'try', target: {}, runs: true } as const
  const first = await asks(asking(it), run)
  await first.until(() => first.told.length > 0)
  const second = await asked(asking(it), run)
  assert.match(
    second.kind === 'refused' ? second.reason : second.kind,
    new RegExp(`a try that ann@desk asked for is under way \\(job ${first.job}, 0 of 2\\)`),
  )
  const [job] = await it.consumer.operations.jobs()
  assert.deepEqual([job?.id, job?.kind, job?.total], [first.job, 'try', 2])
  assert.equal((await asked(asking(it), { action: 'cancel', job: first.job })).kind, 'done')
  const ended = await first.ended()
  assert.deepEqual(
    [ended.kind, 'reason' in ended ? ended.reason : ''],
    ['stopped', 'it was cancelled'],
  )
  gate.resolve()
  assert.deepEqual(await it.consumer.operations.jobs(), [])
})

test('of two people the first is not written to again, when the second failed', async () => {
  const { state, handle } = failing()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await parked(it, 'two')
  assert.deepEqual(state.mails, ['ann'])
  state.isMended = true
  await it.consumer.deadLetters.redrive({})
  assert.deepEqual(await it.untilDone(1), ['two two'])
  assert.deepEqual(state.mails, ['ann', 'bob'])
  await it.clock.advance(commitEveryMs)
})

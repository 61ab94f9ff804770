import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relayFixture } from '../../test/relay-fixture.ts'
import { settle, until } from '../../test/turns.ts'
import type { Call, Instances, SlotWorker } from '../instances/instances.ts'
import { allSlots, slotOfPartition } from '../instances/slot.ts'
import { relaySweepMs } from '../limits.ts'
import { keyHash, partitionOf } from './partitioner.ts'

const by = (name: string, payload: string) => ({ by: name, payload })
const placeOf = (key: string) => ({ topic: 'said', partition: partitionOf(keyHash(key), 2) })

/** Slots that a test hands out, as the other instances would. */
class HandedOut implements Instances {
  readonly name = null
  readonly calls: Call[] = []
  readonly #owned = new Set<number>()
  #workers: SlotWorker[] = []

  onRenamed(): void {}

  owns(slot: number): boolean {
    return this.#owned.has(slot)
  }

  owned(): readonly number[] {
    return [...this.#owned]
  }

  join(worker: SlotWorker): () => void {
    this.#workers.push(worker)
    return () => {
      this.#workers = this.#workers.filter((one) => one !== worker)
    }
  }

  call(call: Call): void {
    this.calls.push(call)
  }

  async stop(): Promise<void> {}

  give(...slots: readonly number[]): void {
    for (const slot of slots) this.#owned.add(slot)
    for (const worker of this.#workers) worker.gained(slots)
  }

  /** As when the connection is lost. */
  lose(...slots: readonly number[]): void {
    for (const slot of slots) this.#owned.delete(slot)
  }

  async takeBack(...slots: readonly number[]): Promise<void> {
    this.lose(...slots)
    await Promise.all(this.#workers.map((worker) => worker.ended(slots)))
  }

  hear(call: Call): void {
    for (const worker of this.#workers) worker.called(call)
  }
}

test('a partition is sent to by the owner of its slot only, who is called', async () => {
  const instances = new HandedOut()
  await using it = await relayFixture({ instances })
  instances.give(slotOfPartition(placeOf('ada')))
  it.relay.start()
  await settle()
  await it.say('said', by('ada', 'a1'), by('bob', 'b1'))
  await until('a1 is sent', () => it.transport.valuesOn('said').includes('a1'))
  await it.clock.advance(relaySweepMs)
  await settle()
  assert.deepEqual(it.transport.valuesOn('said'), ['a1'])
  assert.deepEqual(instances.calls, [{ kind: 'outbox', places: [placeOf('bob')] }])
})

test('who is called sends at once', async () => {
  const instances = new HandedOut()
  await using it = await relayFixture({ instances })
  it.relay.start()
  await it.say('said', by('ada', 'a1'))
  await settle()
  instances.give(...allSlots)
  await until('a1 is sent', () => it.transport.valuesOn('said').includes('a1'))
  await until('it is marked', () => it.outbox.unsent === 0)
  const row = { topic: 'said', key: 'ada', stream: 'spoken' }
  await it.store.transaction('another instance', async (db) => {
    await db
      .updateTable('millrace_outbox')
      .set({ sent_cluster_id: null, sent_at_ms: null, event_id: 'another' })
      .where('topic', '=', row.topic)
      .execute()
  })
  instances.hear({ kind: 'outbox', places: [placeOf('ada')] })
  await until('it is sent', () => it.transport.valuesOn('said').length === 2)
})

test('a slot is given up after the send that is on its way, and not before', async () => {
  const instances = new HandedOut()
  await using it = await relayFixture({ instances })
  let answer: () => void = () => {}
  it.transport.script = (_place, _records, append) =>
    new Promise((resolve) => {
      answer = () => resolve({ kind: 'sent', baseOffset: append() })
    })
  instances.give(...allSlots)
  it.relay.start()
  await it.say('said', by('ada', 'a1'))
  await until('it is on its way', () => it.transport.sends.length === 1)
  let hasGivenUp = false
  const given = instances.takeBack(...allSlots).then(() => {
    hasGivenUp = true
  })
  await it.say('said', by('ada', 'a2'))
  await settle()
  assert.equal(hasGivenUp, false)
  answer()
  await given
  assert.deepEqual(it.transport.valuesOn('said'), ['a1'])
  assert.equal(it.outbox.unsent, 1)
})

test('a new owner sends nothing again that its predecessor had sent and not marked', async () => {
  const instances = new HandedOut()
  await using it = await relayFixture({ instances })
  instances.give(...allSlots)
  it.relay.start()
  await it.say('said', by('ada', 'a0'))
  await until('a0 is marked', () => it.outbox.unsent === 0)
  instances.lose(...allSlots)
  await it.say('said', by('ada', 'a1'), by('ada', 'a2'))
  // The predecessor had sent a1 when it died.
  const [row] = await it.store.read
    .selectFrom('millrace_outbox')
    .select('event_id')
    .where('sent_cluster_id', 'is', null)
    .orderBy('id')
    .execute()
  const header = (name: string, value: string) => ({ name, value: Buffer.from(value) })
  it.transport.append(placeOf('ada'), [
    {
      key: Buffer.from('ada'),
      value: Buffer.from('"a1"'),
      headers: [header('id', row?.event_id ?? ''), header('source', 'speaker')],
      timestampMs: 0,
    },
  ])
  instances.give(...allSlots)
  await until('all is marked', () => it.outbox.unsent === 0)
  assert.deepEqual(it.transport.valuesOn('said'), ['a0', 'a1', 'a2'])
})

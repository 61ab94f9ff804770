import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Edit, loadWithBug } from '../test/plant.ts'
import type { FaultName } from './testing.ts'

/** Bugs in the kit, each in one place where a promise hangs on one line, or on two that agree. */
const bugs: readonly {
  readonly bug: string
  readonly edits: readonly Edit[]
  /** Which of the faults bring it to light soon. Default: all, and that is soon enough. */
  readonly faults?: readonly FaultName[]
  /** Default: two services, of which one has two instances now and then. */
  readonly on?: 'one service' | 'two instances'
  /** What the simulator says is broken. */
  readonly rules: readonly string[]
}[] = [
  {
    bug: 'the watermark passes what is not done',
    edits: [
      {
        file: 'inbox/watermark.ts',
        line: '    this.#done.add(offset)\n',
        planted: '    this.#done.add(offset)\n    this.#position = offset + 1n\n',
      },
    ],
    on: 'one service',
    faults: ['crash'],
    rules: ['P4', 'P6'],
  },
  {
    bug: 'the inbox row is committed before the work of its handler',
    edits: [
      {
        file: 'inbox/deliver.ts',
        line: '      await handling.handle()\n',
        planted:
          '      const early = inboxRowsOf(options.run.deliveries, tools.clock.nowMs())\n' +
          '      await options.handledRows.add(early, new AbortController().signal)\n' +
          '      await handling.handle()\n',
      },
      {
        file: 'inbox/admission.ts',
        line: 'if (written !== admissions.length) await refuse(db, admissions, dialect)',
        planted: '',
      },
    ],
    rules: ['P3'],
  },
  {
    bug: 'an effect is recorded before it is done',
    edits: [
      {
        file: 'effect.ts',
        line: '    await act?.(idempotencyKey(id))\n',
        planted: '    await this.#record(id)\n    await act?.(idempotencyKey(id))\n',
      },
    ],
    rules: ['P3'],
  },
  {
    bug: 'nobody asks whether a key is held by a dead letter',
    edits: [
      {
        file: 'dead-letter/parking.ts',
        line: 'return !isFree(delivery) && this.#held.has(delivery.key)',
        planted: 'return false',
      },
      {
        file: 'inbox/admission.ts',
        line: 'and (entry.held_key is null or not exists (',
        planted: 'and (true or not exists (',
      },
    ],
    rules: ['P4', 'P5'],
  },
  {
    bug: 'nobody asks whether a partition is still claimed',
    edits: [
      {
        file: 'inbox/admission.ts',
        line: 'where (entry.claim is null or exists (',
        planted: 'where (true or exists (',
      },
    ],
    faults: ['pause', 'rebalance'],
    on: 'two instances',
    rules: ['P6'],
  },
  {
    bug: 'the relay sends the newest first',
    edits: [
      {
        file: 'outbox/unsent.ts',
        line: ".orderBy('event.id')\n    .limit(rowsMax)",
        planted: ".orderBy('event.id', 'desc')\n    .limit(rowsMax)",
      },
    ],
    on: 'one service',
    faults: ['kafka-away'],
    rules: ['P2'],
  },
]

for (const { bug, edits, rules, faults, on } of bugs) {
  test(`a planted bug is found: ${bug}`, async () => {
    const [{ simulate }, orders] = await loadWithBug(bug, edits, (query) =>
      Promise.all([import(`./simulate.ts?${query}`), import(`../test/orders.ts?${query}`)]),
    )
    const { soleServiceScenario, twoInstancesScenario, ordersScenario } = orders
    const scenarios = new Map([
      ['one service', soleServiceScenario],
      ['two instances', twoInstancesScenario],
    ])
    const simulating = simulate(scenarios.get(on ?? '') ?? ordersScenario, {
      schedules: 3_000,
      shrink: false,
      ...(faults === undefined ? {} : { faults }),
    })
    await assert.rejects(simulating, (error: Error) => {
      assert.equal(error.name, 'SimulationFailure')
      const [rule = ''] = error.message.split(' ')
      assert.ok(rules.includes(rule), error.message)
      return true
    })
  })
}

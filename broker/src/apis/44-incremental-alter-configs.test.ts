import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DescribeConfigs, errors, IncrementalAlterConfigs } from '@millrace/wire'
import { clientOf, makeTopic, startTestBroker } from '../../test/test-broker.ts'
import type { WireClient } from '../../test/wire-client.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import { resourceTypes } from '../resource-types.ts'

const set = 0
const remove = 1
const append = 2
const subtract = 3

type Change = readonly [name: string, operation: number, value: string | null]

/** Changes configs of `orders`; returns the error code. */
async function alter(
  wire: WireClient,
  changes: readonly Change[],
  options: { validateOnly?: boolean; resourceType?: number; name?: string } = {},
): Promise<number | undefined> {
  const { validateOnly = false, resourceType = resourceTypes.topic, name = 'orders' } = options
  const configs = changes.map(([name, configOperation, value]) => ({
    name,
    configOperation,
    value,
  }))
  const { responses } = await wire.ask(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType, resourceName: name, configs }],
    validateOnly,
  })
  return responses[0]?.errorCode
}

async function inForce(wire: WireClient, name: string): Promise<string | null | undefined> {
  const { results } = await wire.ask(DescribeConfigs, 4, {
    resources: [
      { resourceType: resourceTypes.topic, resourceName: 'orders', configurationKeys: [name] },
    ],
    includeSynonyms: false,
  })
  return results[0]?.configs[0]?.value
}

async function stage() {
  const stack = new AsyncDisposableStack()
  const broker = stack.use(await startTestBroker())
  const wire = stack.use(await clientOf(broker))
  await makeTopic(wire, 'orders')
  return { wire, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('configs of a topic', () => {
  test('are set, and taken away again', async () => {
    await using at = await stage()
    assert.equal(await alter(at.wire, [['retention.ms', set, '5000']]), errors.none.code)
    assert.equal(await inForce(at.wire, 'retention.ms'), '5000')
    assert.equal(await alter(at.wire, [['retention.ms', remove, null]]), errors.none.code)
    assert.equal(await inForce(at.wire, 'retention.ms'), '604800000')
  })

  test('that are lists grow and shrink by their items', async () => {
    await using at = await stage()
    await alter(at.wire, [['cleanup.policy', append, 'compact']])
    assert.equal(await inForce(at.wire, 'cleanup.policy'), 'delete,compact')
    await alter(at.wire, [['cleanup.policy', append, 'compact']])
    assert.equal(await inForce(at.wire, 'cleanup.policy'), 'delete,compact')
    await alter(at.wire, [['cleanup.policy', subtract, 'delete']])
    assert.equal(await inForce(at.wire, 'cleanup.policy'), 'compact')
  })

  test('are there after a crash', async () => {
    const disk = new FaultyDisk({ now: () => 0 })
    const first = await startTestBroker({ storage: { disk } })
    await using before = await clientOf(first)
    await makeTopic(before, 'orders')
    await alter(before, [['retention.ms', set, '5000']])
    await using second = await startTestBroker({ storage: { disk: disk.crash() } })
    await first.close().catch(() => {})
    await using after = await clientOf(second)
    assert.equal(await inForce(after, 'retention.ms'), '5000')
  })

  test('are only looked at when the request only wants to know', async () => {
    await using at = await stage()
    const change: Change = ['retention.ms', set, '5000']
    assert.equal(await alter(at.wire, [change], { validateOnly: true }), errors.none.code)
    assert.equal(await inForce(at.wire, 'retention.ms'), '604800000')
  })

  const good: Change = ['segment.ms', set, '1000']
  const refusals: readonly (readonly [string, Change])[] = [
    ['a wrong value', ['retention.ms', set, 'long']],
    ['no value', ['retention.ms', set, null]],
    ['an unknown name', ['speed', set, '1']],
    ['an unknown name to take away', ['speed', remove, null]],
    ['an item for what is no list', ['retention.ms', append, '1']],
    ['an item that is not allowed', ['cleanup.policy', append, 'forget']],
    ['the last item taken away', ['cleanup.policy', subtract, 'delete']],
    ['an operation that there is not', ['retention.ms', 9, '1']],
    ['the same name twice', ['segment.ms', set, '2000']],
  ]
  for (const [what, change] of refusals) {
    test(`are left alone wholly by a request with ${what}`, async () => {
      await using at = await stage()
      assert.equal(await alter(at.wire, [good, change]), errors.invalidConfig.code)
      assert.equal(await inForce(at.wire, 'segment.ms'), '604800000')
    })
  }

  test('of a topic that there is not, and of the broker, are refused', async () => {
    await using at = await stage()
    const change: Change = ['retention.ms', set, '1']
    const missing = await alter(at.wire, [change], { name: 'nowhere' })
    assert.equal(missing, errors.unknownTopicOrPartition.code)
    const broker = { resourceType: resourceTypes.broker, name: '1' }
    assert.equal(await alter(at.wire, [change], broker), errors.invalidRequest.code)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeConfigs } from '@millrace/wire'
import { clientOf, makeTopic, startTestBroker } from '../../test/test-broker.ts'

const asked: readonly [what: string, keys: string[] | null, described: (all: number) => number][] =
  [
    ['no list of configs', null, (all) => all],
    ['an empty list of configs', [], (all) => all],
    ['the name of one config', ['retention.ms'], () => 1],
    ['the name of no config', ['retention'], () => 0],
  ]

for (const [what, configurationKeys, described] of asked) {
  test(`${what} is answered as by Kafka`, async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    const describe = async (keys: string[] | null): Promise<number> => {
      const resource = { resourceType: 2, resourceName: 'orders', configurationKeys: keys }
      const reply = await wire.ask(DescribeConfigs, 4, {
        resources: [resource],
        includeSynonyms: false,
        includeDocumentation: false,
      })
      return reply.results[0]?.configs.length ?? -1
    }
    assert.equal(await describe(configurationKeys), described(await describe(null)))
  })
}

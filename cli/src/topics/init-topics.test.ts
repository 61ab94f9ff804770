import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { defineCatalogue, event, openKafka, readKafkaConfig, service } from '@millrace/kit'
import { z } from 'zod'
import { initTopics, initTotals, outcomeLine, topicsOf } from './init-topics.ts'

const options = { version: '1.0', payload: z.object({}) }
const catalogue = defineCatalogue(
  'shop',
  { 'order.placed': event(options), 'order.paid': event(options) },
  { partitions: 3, topicPrefix: 'shop.' },
)
const shop = {
  name: 'shop',
  title: 'A shop',
  services: ['orders', 'payments'].map((name) => ({
    service: service(name, { catalogue }),
    port: 1,
  })),
  development: [],
  variables: () => ({}),
  tryFirst: () => [],
}

test('topics are made once, with their partitions; what differs is told and stays', async () => {
  await using broker = await startBroker({})
  const config = readKafkaConfig({ KAFKA_BROKERS: broker.bootstrap })
  {
    await using kafka = openKafka(config)
    await kafka.ensureTopics([{ topic: 'shop.order.paid', partitions: 5 }])
  }
  const ours = ({ topic }: { readonly topic: string }) => topic.startsWith('shop.')
  const first = await initTopics(config, topicsOf([shop]))
  assert.deepEqual(first.filter(ours).map(outcomeLine), [
    'made       shop.order.placed, 3 partitions',
    'different  shop.order.paid, 5 partitions; its catalogue says 3',
  ])
  assert.ok(first.some(({ topic }) => topic === 'millrace.dead-letters'))
  const total = first.length
  assert.equal(
    initTotals(first),
    `${total} topics: ${total - 1} made, 0 there, 1 of other partitions than wanted`,
  )
  const second = await initTopics(config, topicsOf([shop]))
  assert.deepEqual(second.filter(ours).map(outcomeLine), [
    'there      shop.order.placed, 3 partitions',
    'different  shop.order.paid, 5 partitions; its catalogue says 3',
  ])
})

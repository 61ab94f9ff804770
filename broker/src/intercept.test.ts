import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiVersions, errors, Metadata, Produce } from '@millrace/wire'
import { batchOf, clientOf, makeTopic, produceOf, startTestBroker } from '../test/test-broker.ts'
import { noReply } from './reply-queue.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

test('a request is looked at, and goes on as if nobody had', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  await makeTopic(wire, 'orders')
  const seen: unknown[] = []
  using _ = broker.intercept(Metadata, async ({ request, apiVersion, clientId, proceed }) => {
    seen.push([request.topics?.[0]?.name, apiVersion, clientId])
    return proceed()
  })
  const { topics } = await wire.ask(Metadata, 9, { topics: [{ name: 'orders' }] })
  assert.equal(topics[0]?.errorCode, errors.none.code)
  assert.deepEqual(seen, [['orders', 9, 'wire-client']])
})

test('a request is replaced by another', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  await makeTopic(wire, 'orders')
  using _ = broker.intercept(Metadata, ({ request, proceed }) =>
    proceed({ ...request, topics: null }),
  )
  const { topics } = await wire.ask(Metadata, 9, { topics: [] })
  assert.deepEqual(
    topics.map(({ name }) => name),
    ['orders'],
  )
})

test('a request fails with the answer of the test, and nothing is done', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  await makeTopic(wire, 'orders')
  const request = produceOf('orders', batchOf('a'))
  {
    using _ = broker.intercept(Produce, async () => ({
      responses: [
        {
          name: 'orders',
          partitionResponses: [
            { index: 0, errorCode: errors.notEnoughReplicas.code, baseOffset: -1n },
          ],
        },
      ],
    }))
    const { responses } = await wire.ask(Produce, 9, request)
    assert.equal(responses[0]?.partitionResponses[0]?.errorCode, errors.notEnoughReplicas.code)
  }
  const { responses } = await wire.ask(Produce, 9, request)
  assert.equal(responses[0]?.partitionResponses[0]?.baseOffset, 0n)
})

test('a request is left without an answer, and those behind it get theirs', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  using _ = broker.intercept(Metadata, async () => noReply)
  wire.tell(Metadata, 9, { topics: [] })
  await wire.ask(ApiVersions, 3, client)
})

test('a connection is cut when the interceptor throws', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  using _ = broker.intercept(Metadata, async () => {
    throw new Error('the broker dies here')
  })
  await assert.rejects(wire.ask(Metadata, 9, { topics: [] }), /closed the connection/)
  await using next = await clientOf(broker)
  await next.ask(ApiVersions, 3, client)
})

test('the latest interceptor decides, and the one before it when it is gone', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  const cluster = async () => (await wire.ask(Metadata, 9, { topics: [] })).clusterId
  const answer = (clusterId: string) => async () => ({ brokers: [], topics: [], clusterId })
  using _ = broker.intercept(Metadata, answer('first'))
  {
    using _ = broker.intercept(Metadata, answer('second'))
    assert.equal(await cluster(), 'second')
  }
  assert.equal(await cluster(), 'first')
})

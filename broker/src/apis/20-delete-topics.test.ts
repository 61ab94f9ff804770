import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeleteTopics, errors, Metadata } from '@millrace/wire'
import { clientOf, makeTopic, startTestBroker } from '../../test/test-broker.ts'

test('a topic that is named by name and by id, which may differ, is not deleted', async () => {
  await using broker = await startTestBroker()
  await using wire = await clientOf(broker)
  await makeTopic(wire, 'orders')
  const topicId = await makeTopic(wire, 'payments')
  const { responses } = await wire.ask(DeleteTopics, 6, {
    topics: [{ name: 'orders', topicId }],
    timeoutMs: 1000,
  })
  assert.equal(responses[0]?.errorCode, errors.invalidRequest.code)
  const { topics } = await wire.ask(Metadata, 9, { topics: null })
  assert.deepEqual(
    topics.map(({ name }) => name),
    ['orders', 'payments'],
  )
})

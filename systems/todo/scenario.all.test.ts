import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { openTestDatabase, serverVariable } from '@millrace/suites/servers'
import { outputInReadme, outputOn } from './test/scenario-output.ts'

for (const [name, variable] of [
  ['Apache Kafka 4.3', 'MILLRACE_KAFKA_4'],
  ['Apache Kafka 3.5 with ZooKeeper', 'MILLRACE_KAFKA_3'],
] as const) {
  test(`on ${name} the day is the same`, async () => {
    assert.equal(await outputOn(serverVariable(variable)), await outputInReadme())
  })
}

test('on PostgreSQL the day is the same', async () => {
  await using broker = await startBroker({})
  await using database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
  assert.equal(await outputOn(broker.bootstrap, database.url), await outputInReadme())
})

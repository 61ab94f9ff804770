import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { openTestDatabase, saslUsers, serverVariable } from '@millrace/suites/servers'
import { outputInReadme, runScenario } from './test/scenario-run.ts'

test('on Apache Kafka 4.3, with SASL over TLS in the words of the seed, the day is the same', async () => {
  const { username, password } = saslUsers.plain
  const { output } = await runScenario({
    KAFKA_BROKERS: serverVariable('MILLRACE_KAFKA_4_TLS'),
    KAFKA_SSL: 'true',
    KAFKA_SSL_CA: serverVariable('MILLRACE_KAFKA_4_CA'),
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_LOG_LEVEL: 'warn',
  })
  assert.equal(output, await outputInReadme())
})

test('on PostgreSQL the day is the same', async () => {
  await using broker = await startBroker({})
  await using database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
  const env = { KAFKA_BROKERS: broker.bootstrap, DATABASE_URL: database.url }
  const { output } = await runScenario(env)
  assert.equal(output, await outputInReadme())
})

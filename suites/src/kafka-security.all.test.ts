import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KafkaSettings, openKafka } from '@millrace/kit'
import { saslUsers, serverVariable } from './servers/servers.ts'

const brokers = [serverVariable('MILLRACE_KAFKA_4_SASL')]
const settings = (sasl: KafkaSettings['sasl']): KafkaSettings => {
  return { brokers, clientId: 'suite', tls: false, sasl }
}

const users = [
  { mechanism: 'plain', ...saslUsers.plain },
  { mechanism: 'scram-sha-256', ...saslUsers.scram },
  { mechanism: 'scram-sha-512', ...saslUsers.scram },
] as const

for (const user of users) {
  test(`${user.username} enters by ${user.mechanism}, and not with another password`, async () => {
    await using right = openKafka(settings(user))
    assert.notEqual((await right.cluster()).clusterId, '')
    await using wrong = openKafka(settings({ ...user, password: 'another' }))
    await assert.rejects(wrong.cluster(), {
      code: 'kafka-authentication',
      message:
        `Kafka at ${brokers[0]} refuses user "${user.username}" by ${user.mechanism}: check ` +
        'KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM',
    })
  })
}

test('a listener that wants a user says which variable to set', async () => {
  await using anonymous = openKafka(settings(null))
  await assert.rejects(anonymous.cluster(), {
    code: 'kafka-unavailable',
    message: /it may want a user \(KAFKA_SASL_USERNAME\)$/,
  })
})

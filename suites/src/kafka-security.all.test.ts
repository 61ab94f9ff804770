import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type KafkaSettings, openKafka } from '@millrace/kit'
import { saslUsers, serverVariable } from './servers/servers.ts'

const plain = serverVariable('MILLRACE_KAFKA_4')
const sasl = serverVariable('MILLRACE_KAFKA_4_SASL')
const tls = serverVariable('MILLRACE_KAFKA_4_TLS')
const ca = readFileSync(serverVariable('MILLRACE_KAFKA_4_CA'), 'utf8')

const settings = (broker: string, security: Partial<KafkaSettings>): KafkaSettings => {
  return { brokers: [broker], clientId: 'suite', tls: false, sasl: null, ...security }
}

const users = [
  { mechanism: 'plain', ...saslUsers.plain },
  { mechanism: 'scram-sha-256', ...saslUsers.scram },
  { mechanism: 'scram-sha-512', ...saslUsers.scram },
] as const
const listeners = [
  { where: 'in the clear', broker: sasl, security: {} },
  { where: 'over TLS', broker: tls, security: { tls: true, ca } },
] as const

for (const user of users) {
  for (const { where, broker, security } of listeners) {
    const who = `${user.username} enters ${where} by ${user.mechanism}`
    test(`${who}, and not with another password`, async () => {
      await using right = openKafka(settings(broker, { ...security, sasl: user }))
      assert.notEqual((await right.cluster()).clusterId, '')
      const mistaken = { ...user, password: 'another' }
      await using wrong = openKafka(settings(broker, { ...security, sasl: mistaken }))
      await assert.rejects(wrong.cluster(), {
        code: 'kafka-authentication',
        message:
          `Kafka at ${broker} refuses user "${user.username}" by ${user.mechanism}: check ` +
          'KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM',
      })
    })
  }
}

const user = users[2]
const mistakes: readonly [string, string, Partial<KafkaSettings>, RegExp][] = [
  [
    'a listener that wants a user says which variable to set',
    sasl,
    {},
    /it may want a user \(KAFKA_SASL_USERNAME\)$/,
  ],
  [
    'a certificate of an authority that nobody named says which variable to set',
    tls,
    { tls: true, sasl: user },
    /certificate .* is not accepted \([A-Z_]+\): set KAFKA_SSL_CA to the PEM file/,
  ],
  [
    'a listener with TLS that is entered without says which variable to set',
    tls,
    { sasl: user },
    /wants TLS: set KAFKA_SSL=true$/,
  ],
  [
    'a listener without TLS that is entered with it says so',
    plain,
    { tls: true, ca },
    /has no TLS at this port, and KAFKA_SSL is true: unset it, or name the port that has TLS/,
  ],
]
for (const [title, broker, security, message] of mistakes) {
  test(title, async () => {
    await using kafka = openKafka(settings(broker, security))
    await assert.rejects(kafka.cluster(), { code: 'kafka-unavailable', message })
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Environment } from '../environment.ts'
import { MillraceError } from '../errors.ts'
import { type KafkaConfig, readKafkaConfig } from './kafka-config.ts'

const base: KafkaConfig = {
  enabled: true,
  brokers: ['localhost:9092'],
  clientId: 'millrace',
  tls: false,
  sasl: null,
  logLevel: 'info',
}
const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n'
const files: Readonly<Record<string, string>> = { '/etc/ca.pem': certificate, '/etc/key': 'key' }
const readFile = (path: string): string => {
  const text = files[path]
  if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
  return text
}
const user = { KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: 'secret' }

const readable: readonly (readonly [
  title: string,
  env: Environment,
  want: Partial<KafkaConfig>,
])[] = [
  ['nothing set means the embedded broker', {}, {}],
  ['an empty variable counts as unset', { KAFKA_BROKERS: '', KAFKA_SSL: ' ' }, {}],
  ['several brokers', { KAFKA_BROKERS: 'a:1, b:2' }, { brokers: ['a:1', 'b:2'] }],
  ["a broker without a port has Kafka's", { KAFKA_BROKERS: 'kafka' }, { brokers: ['kafka:9092'] }],
  ['an IPv6 address', { KAFKA_BROKERS: '[::1]:9093' }, { brokers: ['[::1]:9093'] }],
  ['TLS', { KAFKA_BROKERS: 'a:1', KAFKA_SSL: 'TRUE' }, { brokers: ['a:1'], tls: true }],
  [
    'TLS by an authority of one’s own',
    { KAFKA_BROKERS: 'a:1', KAFKA_SSL: 'true', KAFKA_SSL_CA: '/etc/ca.pem' },
    { brokers: ['a:1'], tls: true, ca: certificate },
  ],
  [
    'SASL is plain where nothing else is said',
    { KAFKA_BROKERS: 'a:1', ...user },
    { brokers: ['a:1'], sasl: { mechanism: 'plain', username: 'ada', password: 'secret' } },
  ],
  [
    'a mechanism in any case',
    { KAFKA_BROKERS: 'a:1', ...user, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' },
    { brokers: ['a:1'], sasl: { mechanism: 'scram-sha-512', username: 'ada', password: 'secret' } },
  ],
  ['a client id', { KAFKA_CLIENT_ID: 'edu-matrix' }, { clientId: 'edu-matrix' }],
  ['Kafka switched off', { KAFKA_ENABLED: 'false' }, { enabled: false }],
  ["kafkajs's name for silence", { KAFKA_LOG_LEVEL: 'nothing' }, { logLevel: 'silent' }],
]

for (const [title, env, want] of readable) {
  test(`configuration: ${title}`, () => {
    assert.deepEqual(readKafkaConfig(env, 'millrace', readFile), { ...base, ...want })
  })
}

const wrong: readonly (readonly [env: Environment, lines: readonly string[]])[] = [
  [
    { KAFKA_BROKERS: 'kafka://a:1' },
    ['KAFKA_BROKERS has "kafka://a:1", which is no broker; write host:port, separated by commas'],
  ],
  [
    { KAFKA_BROKERS: 'a:1,,b:70000' },
    [
      'KAFKA_BROKERS has "", which is no broker; write host:port, separated by commas',
      'KAFKA_BROKERS has "b:70000", which is no broker; write host:port, separated by commas',
    ],
  ],
  [{ KAFKA_ENABLED: 'maybe' }, ['KAFKA_ENABLED is "maybe"; it can be true, false']],
  [{ KAFKA_SSL: '2' }, ['KAFKA_SSL is "2"; it can be true, false']],
  [
    { KAFKA_LOG_LEVEL: 'loud' },
    ['KAFKA_LOG_LEVEL is "loud"; it can be nothing, silent, error, warn, info, debug, trace'],
  ],
  [
    { KAFKA_BROKERS: 'a:1', ...user, KAFKA_SASL_MECHANISM: 'gssapi' },
    ['KAFKA_SASL_MECHANISM is "gssapi"; it can be plain, scram-sha-256, scram-sha-512'],
  ],
  [
    { KAFKA_BROKERS: 'a:1', KAFKA_SASL_USERNAME: 'ada' },
    ['KAFKA_SASL_USERNAME is set and KAFKA_SASL_PASSWORD is not; set both'],
  ],
  [
    { KAFKA_BROKERS: 'a:1', KAFKA_SASL_PASSWORD: 'secret' },
    ['KAFKA_SASL_PASSWORD is set and KAFKA_SASL_USERNAME is not; set both'],
  ],
  [
    { KAFKA_BROKERS: 'a:1', KAFKA_SASL_MECHANISM: 'plain' },
    [
      'KAFKA_SASL_MECHANISM is set without KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD; set them too, or unset it',
    ],
  ],
  [
    { KAFKA_SSL: 'true' },
    [
      'KAFKA_SSL is set without KAFKA_BROKERS; name the brokers too, or unset it to use localhost:9092 as it is',
    ],
  ],
  [
    { KAFKA_BROKERS: 'a:1', KAFKA_SSL_CA: '/etc/key' },
    [
      'KAFKA_SSL_CA is set without KAFKA_SSL; set KAFKA_SSL to true, or unset it',
      'KAFKA_SSL_CA names "/etc/key", which holds no certificate; give a PEM file',
    ],
  ],
  [
    { KAFKA_BROKERS: 'a:1', KAFKA_SSL: 'true', KAFKA_SSL_CA: '/etc/none' },
    [
      'KAFKA_SSL_CA names "/etc/none", which cannot be read (ENOENT: no such file, open \'/etc/none\')',
    ],
  ],
  [
    user,
    [
      'KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD are set without KAFKA_BROKERS; name the brokers too, or unset them to use localhost:9092 as it is',
    ],
  ],
  [
    { KAFKA_ENABLED: 'off', KAFKA_SSL: 'on', KAFKA_BROKERS: 'a b' },
    [
      'KAFKA_BROKERS has "a b", which is no broker; write host:port, separated by commas',
      'KAFKA_ENABLED is "off"; it can be true, false',
      'KAFKA_SSL is "on"; it can be true, false',
    ],
  ],
]

for (const [env, lines] of wrong) {
  test(`configuration refused: ${lines.join(' / ')}`, () => {
    assert.throws(
      () => readKafkaConfig(env, 'millrace', readFile),
      (error) => {
        assert(error instanceof MillraceError)
        assert.equal(error.code, 'config-invalid')
        assert.deepEqual(error.issues, lines)
        assert.equal(error.message.includes('secret'), false)
        return true
      },
    )
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Environment, readServeOptions } from './serve-options.ts'

/** The options; a test that reads wrong ones fails. */
function read(args: readonly string[], env: Environment = {}) {
  const outcome = readServeOptions(args, env)
  assert.ok(outcome.kind === 'read', outcome.kind === 'wrong' ? outcome.problems.join() : '')
  return outcome.options
}

function problemsOf(args: readonly string[], env: Environment = {}): readonly string[] {
  const outcome = readServeOptions(args, env)
  return outcome.kind === 'wrong' ? outcome.problems : []
}

describe('where the broker listens', () => {
  test('at 9092 on both loopback addresses, when nobody says anything', () => {
    assert.deepEqual(read([]).listeners, [{ port: 9092 }])
  })

  test('at the ports that are given, whatever the environment says', () => {
    const env = { KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:19092' }
    const { listeners } = read(['--port', '9092', '--port', '29092'], env)
    assert.deepEqual(listeners, [{ port: 9092 }, { port: 29092 }])
  })

  test('at the listeners of the environment, each advertised under its own name', () => {
    const { listeners } = read([], {
      KAFKA_LISTENERS: 'INTERNAL://0.0.0.0:29092,EXTERNAL://[::1]:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: 'INTERNAL://kafka:29092, EXTERNAL://localhost:19092',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT',
    })
    assert.deepEqual(listeners, [
      { host: '0.0.0.0', port: 29092, advertisedHost: 'kafka', advertisedPort: 29092 },
      { host: '::1', port: 9092, advertisedHost: 'localhost', advertisedPort: 19092 },
    ])
  })

  test('on all addresses where a listener names no host, as in Kafka', () => {
    const { listeners } = read([], { KAFKA_LISTENERS: 'PLAINTEXT://:9092' })
    assert.deepEqual(listeners, [{ host: '0.0.0.0', port: 9092 }])
  })
})

test('records are kept where --data says, or nowhere', () => {
  assert.deepEqual(read(['--data', 'here']).storage, { directory: 'here' })
  assert.equal(read([]).storage, 'memory')
})

test("settings are read under the names of Kafka's own images", () => {
  const options = read([], {
    KAFKA_NUM_PARTITIONS: '6',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '3000',
    KAFKA_LOG_RETENTION_MS: '1000',
    KAFKA_MESSAGE_MAX_BYTES: '2000000',
  })
  assert.equal(options.numPartitions, 6)
  assert.equal(options.autoCreateTopics, false)
  assert.equal(options.groupInitialRebalanceDelayMs, 3000)
  assert.deepEqual(options.topicDefaults, {
    'retention.ms': '1000',
    'max.message.bytes': '2000000',
  })
})

const wrong: readonly (readonly [
  what: string,
  args: readonly string[],
  env: Environment,
  says: RegExp,
])[] = [
  ['a port that is no number', ['--port', 'many'], {}, /--port.*"many"/],
  ['a port that is too high', ['--port', '70000'], {}, /--port.*"70000"/],
  ['a flush policy that there is not', ['--flush', 'never'], {}, /--flush.*"never"/],
  ['an option that there is not', ['--speed'], {}, /--speed/],
  ['a listener without a port', [], { KAFKA_LISTENERS: 'PLAINTEXT://x' }, /"PLAINTEXT:\/\/x"/],
  ['no listener at all', [], { KAFKA_LISTENERS: '' }, /names no listener/],
  ['a listener that wants TLS', [], { KAFKA_LISTENERS: 'SSL://:9093' }, /SSL.*PLAINTEXT only/],
  [
    'a listener that is mapped to SASL',
    [],
    {
      KAFKA_LISTENERS: 'OUTSIDE://:9093',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'OUTSIDE:SASL_SSL',
    },
    /OUTSIDE wants SASL_SSL/,
  ],
  [
    'an address for a listener that there is not',
    [],
    {
      KAFKA_LISTENERS: 'PLAINTEXT://:9092',
      KAFKA_ADVERTISED_LISTENERS: 'OUTSIDE://kafka:9092',
    },
    /names OUTSIDE/,
  ],
  ['no partitions', [], { KAFKA_NUM_PARTITIONS: '0' }, /KAFKA_NUM_PARTITIONS.*"0"/],
  ['perhaps', [], { KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'maybe' }, /"maybe"/],
  ['a retention that is no number', [], { KAFKA_LOG_RETENTION_MS: 'long' }, /RETENTION_MS.*"long"/],
]
for (const [what, args, env, says] of wrong) {
  test(`${what} is one line that names it`, () => {
    const problems = problemsOf(args, env)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', says)
  })
}

test('everything that is wrong is said at once', () => {
  const env = { KAFKA_NUM_PARTITIONS: 'x', KAFKA_LISTENERS: 'SSL://:9093' }
  assert.equal(problemsOf([], env).length, 2)
})

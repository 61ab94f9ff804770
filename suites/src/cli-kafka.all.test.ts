// The `millrace` command against Apache Kafka: what it shows there, and what it says of a user that
// is refused.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runChecked, runCommand, saslUsers, serverVariable } from './servers/servers.ts'

const entry = fileURLToPath(new URL('../../cli/bin/millrace.mjs', import.meta.url))
const timeout = 60_000
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

function millrace(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCommand(process.execPath, [entry, ...words], { environment: env, timeoutMs: timeout })
}

for (const [name, variable] of [
  ['Apache Kafka 4.3', 'MILLRACE_KAFKA_4'],
  ['Apache Kafka 3.5', 'MILLRACE_KAFKA_3'],
] as const) {
  describe(`millrace on ${name}`, { timeout }, () => {
    const brokers = () => ['--brokers', serverVariable(variable)]
    const kcat = (args: readonly string[], input = '') =>
      runChecked('kcat', ['-b', serverVariable(variable), ...args], { input, timeoutMs: timeout })

    test('tail prints what was compressed with each codec, and topics counts it', async () => {
      const topic = `cli-${randomUUID()}`
      for (const codec of codecs) {
        await kcat(['-P', '-t', topic, '-z', codec, '-K', ':'], `key:{"codec":"${codec}"}\n`)
      }
      const tail = await millrace(['tail', topic, ...brokers()])
      assert.equal(tail.stdout, codecs.map((codec) => `{"codec":"${codec}"}\n`).join(''))
      const last = await millrace(['tail', topic, '--last', '1', '--json', ...brokers()])
      const { offset, key, value } = JSON.parse(last.stdout)
      assert.deepEqual([offset, key, value], [4, 'key', '{"codec":"zstd"}'])
      const topics = await millrace(['topics', '--json', ...brokers()])
      const rows = topics.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
      assert.equal(rows.find((row) => row.topic === topic)?.records, 5)
    })

    test('groups shows members and lag of a group that kcat has left behind', async () => {
      const topic = `cli-${randomUUID()}`
      // One partition, because a group has no lag where it never committed.
      await kcat(['-P', '-t', topic, '-p', '0'], 'a\nb\nc\n')
      await kcat(['-G', topic, '-c', '3', '-o', 'beginning', topic])
      await kcat(['-P', '-t', topic, '-p', '0'], 'd\n')
      const groups = await millrace(['groups', '--json', ...brokers()])
      const rows = groups.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
      const { state, members, positions } = rows.find((row) => row.group === topic)
      assert.deepEqual([state, members], ['Empty', []])
      const lag = positions.reduce(
        (sum: number, position: { lag: number }) => sum + position.lag,
        0,
      )
      assert.equal(lag, 1)
    })
  })
}

describe('millrace on a Kafka that wants a password', { timeout }, () => {
  const login = (username: string, password: string, mechanism: string) => ({
    KAFKA_BROKERS: serverVariable('MILLRACE_KAFKA_4_SASL'),
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_SASL_MECHANISM: mechanism,
  })
  const { plain, scram } = saslUsers

  for (const [mechanism, user] of [
    ['plain', plain],
    ['scram-sha-256', scram],
    ['scram-sha-512', scram],
  ] as const) {
    test(`${mechanism}: the right password is let in, a wrong one is one line`, async () => {
      const { username, password } = user
      const right = await millrace(['topics'], login(username, password, mechanism))
      assert.equal(right.exitCode, 0, right.stderr)
      const wrong = await millrace(['topics'], login(username, 'not-the-password', mechanism))
      assert.match(
        wrong.stderr,
        new RegExp(`^millrace: Kafka at \\S+ refuses user "${username}" by ${mechanism}: .*\\n$`),
      )
      assert.deepEqual([wrong.exitCode, wrong.stdout], [1, ''])
      assert.doesNotMatch(wrong.stderr, /not-the-password/)
    })
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { millrace } from './cli-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

// What goes wrong before anything runs: one clear line, no stack, and an exit code that a script
// can tell apart.

interface Case {
  readonly words: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly code: number
  readonly stderr: RegExp
}

const cases: Readonly<Record<string, Case>> = {
  'an unknown command': {
    words: ['tial', 'user.created'],
    code: 2,
    stderr: /^millrace: there is no command "tial"; did you mean "tail"\?\n$/,
  },
  'an unknown option': {
    words: ['topics', '--broker', 'a:1'],
    code: 2,
    stderr: /^millrace: there is no option --broker; did you mean --brokers\? \(.*help topics\)\n$/,
  },
  'a missing argument': {
    words: ['tail'],
    code: 2,
    stderr: /^millrace: <topic> is missing: which topic \(millrace help tail\)\n$/,
  },
  'options that contradict each other': {
    words: ['tail', 'a', '--last', '3', '--from-beginning'],
    code: 2,
    stderr: /^millrace: --from-beginning and --last contradict each other; give one of them/,
  },
  'a variable with an unknown value': {
    words: ['start'],
    env: { KAFKA_SSL: 'yes' },
    code: 1,
    stderr: /^millrace: KAFKA_SSL is "yes"; it can be true, false\n$/,
  },
  'several variables that are wrong, a line each': {
    words: ['start'],
    env: { KAFKA_LOG_LEVEL: 'loud', KAFKA_ENABLED: 'no' },
    code: 1,
    stderr: /^millrace: KAFKA_\w+ is "\w+".*\n {2}KAFKA_\w+ is "\w+".*\n$/,
  },
  'KAFKA_SSL without KAFKA_BROKERS': {
    words: ['start'],
    env: { KAFKA_SSL: 'true' },
    code: 1,
    stderr: /^millrace: KAFKA_SSL is set without KAFKA_BROKERS; name the brokers too, or unset it/,
  },
  'KAFKA_SASL_* without KAFKA_BROKERS': {
    words: ['topics'],
    env: { KAFKA_SASL_USERNAME: 'ann', KAFKA_SASL_PASSWORD: 'secret' },
    code: 1,
    stderr: /^millrace: KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD are set without KAFKA_BROKERS/,
  },
  'a system that is not there': {
    words: ['start', 'tood'],
    code: 1,
    stderr: /^millrace: there is no system "tood": did you mean "todo"\? .*\n$/,
  },
  'a service that is not there': {
    words: ['run', 'todo', 'auth'],
    code: 1,
    stderr: /^millrace: system "todo" has no service "auth": did you mean "auth-service"\?\n$/,
  },
  'a reset that nobody can be asked about': {
    words: ['reset'],
    code: 2,
    stderr: /^millrace: there is no terminal to ask at: say --yes to empty it/,
  },
}

for (const [what, { words, env = {}, code, stderr }] of Object.entries(cases)) {
  test(`${what} is one clear line`, async () => {
    const result = await millrace(words, { env })
    assert.match(result.stderr, stderr)
    assert.deepEqual([result.code, result.stdout], [code, ''])
    assert.doesNotMatch(result.stderr, /\n\s+at |secret/)
  })
}

test('where there is nothing to start, it is said how to name a system', async () => {
  using place = temporaryDirectory()
  const options = { currentDirectory: place.path, env: { KAFKA_BROKERS: 'localhost:9092' } }
  const { code, stderr } = await millrace(['start'], options)
  assert.match(stderr, /^millrace: there is no systems\/\*\/system\.ts here; name one: .*\.ts\n$/)
  assert.equal(code, 1)
})

test('help goes to standard output and succeeds', async () => {
  const { code, stdout, stderr } = await millrace([])
  assert.deepEqual([code, stderr], [0, ''])
  for (const name of ['start', 'run', 'topics', 'tail', 'groups', 'dead-letters', 'redrive']) {
    assert.match(stdout, new RegExp(`^  ${name} +\\w`, 'm'))
  }
})

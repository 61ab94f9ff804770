import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeTerminal } from '../test/fake-terminal.ts'
import type { Command } from './command.ts'
import { runCommandLine } from './command-line.ts'
import { CommandFailure } from './failure.ts'

function table(run: Command['run']) {
  const topics: Command = {
    positionals: [],
    options: { json: { kind: 'flag', text: 'JSON' } },
    examples: ['millrace topics --json'],
    run,
  }
  return { topics: { summary: 'lists topics', load: async () => topics } }
}

const idle = table(async () => 0)

test('without a command the help lists them all, and succeeds', async () => {
  for (const argv of [[], ['help'], ['--help'], ['-h']]) {
    const terminal = fakeTerminal()
    assert.equal(await runCommandLine(argv, idle, terminal), 0)
    assert.ok(terminal.printed.includes('  topics  lists topics'), argv.join(' '))
  }
})

test('the help of a command is reached from both sides and names its options', async () => {
  for (const argv of [
    ['help', 'topics'],
    ['topics', '--help'],
    ['topics', '-h'],
  ]) {
    const terminal = fakeTerminal()
    assert.equal(await runCommandLine(argv, idle, terminal), 0)
    assert.deepEqual(terminal.printed, [
      'lists topics',
      '',
      'millrace topics [options]',
      '',
      '  --json  JSON',
      '',
      '  millrace topics --json',
    ])
  }
})

test('a wrong command line is one line and exit code 2', async () => {
  const cases: readonly (readonly [string[], string])[] = [
    [['topic'], 'millrace: there is no command "topic"; did you mean "topics"?'],
    [['frobnicate'], 'millrace: there is no command "frobnicate"; "millrace help" lists them'],
    [['help', 'topic'], 'millrace: there is no command "topic"; did you mean "topics"?'],
    [
      ['topics', '--jsom'],
      'millrace: there is no option --jsom; did you mean --json? (millrace help topics)',
    ],
  ]
  for (const [argv, line] of cases) {
    const terminal = fakeTerminal()
    assert.equal(await runCommandLine(argv, idle, terminal), 2)
    assert.deepEqual([terminal.notes, terminal.printed], [[line], []])
  }
})

test('what could not be done is said without a stack, with its issues, and exit code 1', async () => {
  const issues = Object.assign(new Error('variables are wrong'), {
    code: 'config-invalid',
    issues: ['KAFKA_SSL is "maybe"', 'KAFKA_LOG_LEVEL is "loud"'],
  })
  const cases: readonly (readonly [Error, string[]])[] = [
    [new CommandFailure('no such topic'), ['millrace: no such topic']],
    [
      issues,
      ['millrace: variables are wrong', '  KAFKA_SSL is "maybe"', '  KAFKA_LOG_LEVEL is "loud"'],
    ],
  ]
  for (const [error, lines] of cases) {
    const terminal = fakeTerminal()
    const failing = table(async () => Promise.reject(error))
    assert.equal(await runCommandLine(['topics'], failing, terminal), 1)
    assert.deepEqual(terminal.notes, lines)
  }
})

test('a mistake of ours shows its stack, so that it can be reported', async () => {
  const terminal = fakeTerminal()
  const failing = table(async () => Promise.reject(new TypeError('x is not a function')))
  assert.equal(await runCommandLine(['topics'], failing, terminal), 1)
  assert.match(terminal.notes.join('\n'), /please report it: TypeError: x is not .*\n\s+at /)
})

test('a command that was interrupted ends with 130 and without a word', async () => {
  const interruption = new AbortController()
  const terminal = fakeTerminal({ interrupted: interruption.signal })
  const interrupted = table(async () => {
    interruption.abort()
    throw new Error('aborted')
  })
  assert.equal(await runCommandLine(['topics'], interrupted, terminal), 130)
  assert.deepEqual(terminal.notes, [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from './command.ts'
import { readInput } from './read-input.ts'

const tail: Command = {
  positionals: [{ name: 'topic', text: 'which topic', required: true }],
  options: {
    follow: { kind: 'flag', short: 'f', text: 'goes on' },
    brokers: { kind: 'text', value: 'HOST:PORT', text: 'which Kafka' },
    count: { kind: 'integer', value: 'N', text: 'ends after N', min: 1 },
  },
  run: async () => 0,
}

test('options are read in every customary spelling, before and after the arguments', () => {
  const spellings = [
    ['user.created', '--follow', '--brokers', 'a:1', '--count', '3'],
    ['--count=3', '-f', '--brokers=a:1', 'user.created'],
    ['-f', '--count', '3', '--brokers', 'a:1', '--', 'user.created'],
  ]
  for (const argv of spellings) {
    const input = readInput(tail, argv)
    assert.deepEqual(input.positionals, ['user.created'])
    assert.equal(input.flag('follow'), true)
    assert.equal(input.text('brokers'), 'a:1')
    assert.equal(input.integer('count'), 3)
  }
})

test('an option that is not given is false or undefined', () => {
  const input = readInput(tail, ['user.created'])
  assert.equal(input.flag('follow'), false)
  assert.equal(input.text('brokers'), undefined)
  assert.equal(input.integer('count'), undefined)
})

test('a wrong command line is refused with what is wrong and what was probably meant', () => {
  const cases: readonly (readonly [string[], string])[] = [
    [[], '<topic> is missing: which topic'],
    [['a', 'b'], '"b" is one argument too many'],
    [['a', '--folow'], 'there is no option --folow; did you mean --follow?'],
    [['a', '--frequency'], 'there is no option --frequency'],
    [['a', '-x'], 'there is no option -x'],
    [['a', '--constructor'], 'there is no option --constructor'],
    [['a', '--follow=yes'], '--follow takes no value'],
    [['a', '--brokers'], '--brokers needs a value: --brokers HOST:PORT'],
    [['a', '--brokers='], '--brokers needs a value: --brokers HOST:PORT'],
    [['a', '--count', '0'], '--count is a whole number from 1 on, not "0"'],
    [['a', '--count', '1e3'], '--count is a whole number from 1 on, not "1e3"'],
    [['a', '--count=-1'], '--count is a whole number from 1 on, not "-1"'],
    [['a', '-f', '-f'], '-f is given twice'],
  ]
  for (const [argv, message] of cases) {
    assert.throws(() => readInput(tail, argv), { name: 'UsageError', message }, argv.join(' '))
  }
})

test('asking for an option that the table does not have is a mistake of ours', () => {
  assert.throws(() => readInput(tail, ['a']).flag('brokers'), /no flag option/)
})

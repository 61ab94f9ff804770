import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { ManualClock } from '@millrace/kit'
import { jsonLine } from './json.ts'
import { printable, printableText } from './printable.ts'
import { withSpinner } from './spinner.ts'
import { table } from './table.ts'
import { openTerminal } from './terminal.ts'

test('columns stand under their titles, numbers at their right', () => {
  const columns = [{ title: 'topic' }, { title: 'records', align: 'right' as const }]
  assert.deepEqual(
    table(columns, [
      ['user.created', '7'],
      ['a', '12345678'],
    ]),
    ['topic          records', 'user.created         7', 'a             12345678'],
  )
})

test('emphasis takes no room, and a line has no blanks at its end', () => {
  const columns = [{ title: '' }, { title: '' }, { title: '' }]
  assert.deepEqual(
    table(columns, [
      ['\u001b[1mab\u001b[22m', 'x', ''],
      ['abc', 'y', ''],
    ]),
    ['\u001b[1mab\u001b[22m   x', 'abc  y'],
  )
})

test('offsets are numbers in JSON, and strings where a number would round them', () => {
  assert.equal(jsonLine({ offset: 12n, end: 2n ** 53n }), '{"offset":12,"end":"9007199254740992"}')
})

test('a record is one line, whatever is in it', () => {
  const cases: readonly (readonly [string | Uint8Array, string])[] = [
    ['{"a": 1}', '{"a": 1}'],
    ['{\n  "a": [\n    1\n  ]\n}\n', '{ "a": [ 1 ] }'],
    ['two\nlines', 'two\\nlines'],
    ['\u001b[2Jgone', '\\u001b[2Jgone'],
    ['{"not json\n', '{"not json\\n'],
    ['grün ✓', 'grün ✓'],
    ['', ''],
    [new Uint8Array([0xff, 0x00]), 'base64:/wA='],
  ]
  for (const [value, line] of cases) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    assert.equal(printable(bytes), line)
  }
  assert.equal(printableText('a\u2028b'), 'a\\u2028b')
})

function streams({ isTTY }: { isTTY: boolean }) {
  const open = () => Object.assign(new PassThrough(), { isTTY })
  return { input: open(), output: open(), error: open() }
}

function open({ isTTY, env = {} }: { isTTY: boolean; env?: Record<string, string> }) {
  const { input, output, error } = streams({ isTTY })
  const interrupted = new AbortController().signal
  const terminal = openTerminal({ input, output, error, env, currentDirectory: '/', interrupted })
  const textOf = (stream: PassThrough) => String(stream.read() ?? '')
  return { terminal, input, written: () => textOf(output), noted: () => textOf(error) }
}

test('a spinner turns from the second second on, says how far it is, and leaves nothing', async () => {
  const clock = new ManualClock()
  const { terminal, noted } = open({ isTTY: true })
  await withSpinner({ terminal, clock, text: 'redriving' }, async (advance) => {
    await clock.advance(999)
    assert.equal(noted(), '')
    await clock.advance(1)
    assert.equal(noted(), '⠋ redriving')
    advance('3 of 9')
    await clock.advance(100)
    assert.equal(noted(), '\r\u001b[K⠙ redriving 3 of 9')
  })
  assert.equal(noted(), '\r\u001b[K')
  assert.equal(clock.timers, 0)
})

test('where nobody watches there is no spinner', async () => {
  const clock = new ManualClock()
  const { terminal, noted } = open({ isTTY: false })
  await withSpinner({ terminal, clock, text: 'redriving' }, async () => {
    await clock.advance(5_000)
  })
  assert.equal(noted(), '')
})

test('a result wipes the spinner away, so that lines do not mix', async () => {
  const { terminal, written, noted } = open({ isTTY: true })
  terminal.progress('busy')
  await terminal.print('result')
  assert.equal(noted(), 'busy\r\u001b[K')
  assert.equal(written(), 'result\n')
})

test('only a yes is a yes', async () => {
  for (const [answer, expected] of [
    ['y', true],
    ['YES', true],
    ['', false],
    ['yep', false],
    ['n', false],
  ] as const) {
    const { terminal, input } = open({ isTTY: true })
    const asked = terminal.confirm('Discard?')
    input.write(`${answer}\n`)
    assert.equal(await asked, expected, answer)
  }
})

test('nobody can be asked where there is no terminal', () => {
  assert.equal(open({ isTTY: false }).terminal.interactive, false)
})

test('emphasis is for a terminal that can show it, unless NO_COLOR is set', () => {
  const emphasised = (isTTY: boolean, env = {}) =>
    open({ isTTY, env }).terminal.emphasise('bold', 'x')
  assert.equal(emphasised(true), '\u001b[1mx\u001b[22m')
  assert.equal(emphasised(true, { NO_COLOR: '' }), '\u001b[1mx\u001b[22m')
  assert.equal(emphasised(true, { NO_COLOR: '1' }), 'x')
  assert.equal(emphasised(true, { TERM: 'dumb' }), 'x')
  assert.equal(emphasised(false), 'x')
})

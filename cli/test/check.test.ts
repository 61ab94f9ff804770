// A catalogue is kept, changed, and checked: against what it was, and against what a broker holds.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { openKafka, readKafkaConfig } from '@millrace/kit'
import { runCommandLine } from '../src/command-line.ts'
import { commands } from '../src/commands.ts'
import { fakeTerminal } from './fake-terminal.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A system whose one event has this payload, as a user would write it. */
function systemText(payload: string): string {
  const kit = import.meta.resolve('@millrace/kit')
  const zod = import.meta.resolve('zod')
  return `
import { defineCatalogue, defineSystem, event, service } from '${kit}'
import { z } from '${zod}'
const catalogue = defineCatalogue('users', {
  'user.created': event({ version: '1.0', payload: z.object(${payload}) }),
}, { partitions: 1 })
export const system = defineSystem({
  name: 'users', title: 'Users', development: [], variables: () => ({}), tryFirst: () => [],
  services: [{ port: 1, service: service('welcome', { catalogue }).on('user.created', async () => {}) }],
})
`
}

function stage() {
  const directory = temporaryDirectory()
  const run = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const terminal = fakeTerminal({ currentDirectory: directory.path, env })
    const code = await runCommandLine(words, commands, terminal)
    return { code, printed: terminal.printed.join('\n'), notes: terminal.notes.join('\n') }
  }
  const write = (name: string, text: string) => writeFileSync(join(directory.path, name), text)
  const read = (name: string) => readFileSync(join(directory.path, name), 'utf8')
  return { run, write, read, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}

test('a change that would break a record is refused, one that adds is not', async () => {
  using at = stage()
  at.write('before.mjs', systemText('{ name: z.string() }'))
  at.write('narrower.mjs', systemText('{ name: z.string(), email: z.string() }'))
  at.write('wider.mjs', systemText('{ name: z.string(), email: z.string().optional() }'))
  const description = await at.run(['catalogue', './before.mjs'])
  at.write('catalogue.json', description.printed)
  const narrower = await at.run(['check', './narrower.mjs', '--against', 'catalogue.json'])
  assert.equal(narrower.code, 1)
  assert.match(narrower.printed, /^backward {2}user\.created: .*payload\.email: is required/)
  const wider = await at.run(['check', './wider.mjs', '--against', 'catalogue.json'])
  assert.deepEqual([wider.code, wider.printed], [0, ''])
})

test('the record that a change would break is named by its place', async () => {
  using at = stage()
  at.write('system.mjs', systemText('{ name: z.string() }'))
  await using broker = await startBroker()
  const env = { KAFKA_BROKERS: broker.bootstrap }
  {
    await using transport = openKafka(readKafkaConfig(env))
    await transport.ensureTopics([
      { topic: 'user.created', partitions: 1 },
      { topic: 'millrace.dead-letters', partitions: 1 },
    ])
    const records = ['{"payload":{"name":"Jane"}}', '{"payload":{"name":7}}'].map((value) => ({
      key: null,
      value: new TextEncoder().encode(value),
      headers: [],
      timestampMs: 0,
    }))
    await transport.send({ topic: 'user.created', partition: 0 }, records)
  }
  const all = await at.run(['check', './system.mjs', '--records'], env)
  assert.equal(all.code, 1)
  assert.match(all.printed, /^record {4}user\.created\/0 at 1: payload\.name: /)
  assert.match(all.notes, /user\.created: 2 records read, 1 unreadable/)
})

test('every format of a catalogue is printed, and another one is told', async () => {
  using at = stage()
  at.write('system.mjs', systemText('{ name: z.string() }'))
  const expected = {
    description: /"event": "user\.created"/,
    asyncapi: /"asyncapi": "3\.0\.0"/,
    'json-schema': /"type": "string"/,
    mermaid: /^flowchart LR\n {2}s0\["welcome"\]/,
  }
  for (const [format, pattern] of Object.entries(expected)) {
    const { code, printed } = await at.run(['catalogue', './system.mjs', '--format', format])
    assert.equal(code, 0)
    assert.match(printed, pattern)
  }
  const wrong = await at.run(['catalogue', './system.mjs', '--format', 'asynapi'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.notes, /did you mean "asyncapi"\?/)
})

test('a check that says with what is asked for', async () => {
  using at = stage()
  at.write('system.mjs', systemText('{}'))
  const { code, notes } = await at.run(['check', './system.mjs'])
  assert.equal(code, 2)
  assert.match(notes, /--against FILE, --records, or both/)
})

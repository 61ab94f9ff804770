// A changed service is compared with the present one over what an embedded broker holds.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { openKafka, readKafkaConfig } from '@millrace/kit'
import { runCommandLine } from '../src/command-line.ts'
import { commands } from '../src/commands.ts'
import { fakeTerminal } from './fake-terminal.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Mails whoever likes a post, as a user would write it. */
function systemText(greeting: string): string {
  const kit = import.meta.resolve('@millrace/kit')
  const zod = import.meta.resolve('zod')
  return `
import { defineCatalogue, defineSystem, defineTables, event, service } from '${kit}'
import { z } from '${zod}'
const catalogue = defineCatalogue('posts', {
  'post.liked': event({ version: '1.0', payload: z.object({ by: z.string() }) }),
}, { partitions: 1 })
const tables = defineTables({
  '001 likes': (db) => db.schema.createTable('likes').addColumn('text', 'text').execute(),
})
const likes = service('likes', { catalogue, tables })
  .on('post.liked', async ({ payload }, { db, effect }) => {
    await effect('mail', async () => { throw new Error('a shadow sends nothing') })
    await db.insertInto('likes').values({ text: \`${greeting} \${payload.by}\` }).execute()
  })
export const system = defineSystem({
  name: 'posts', title: 'Posts', development: [], variables: () => ({}), tryFirst: () => [],
  services: [{ port: 1, service: likes }],
})
`
}

test('a shadow says what the changed service writes otherwise, with the first event', async () => {
  using directory = temporaryDirectory()
  const at = (name: string) => join(directory.path, name)
  writeFileSync(at('present.mjs'), systemText('hello'))
  writeFileSync(at('changed.mjs'), systemText('dear'))
  await using broker = await startBroker()
  const env = { KAFKA_BROKERS: broker.bootstrap }
  await using transport = openKafka(readKafkaConfig(env))
  await transport.ensureTopics([{ topic: 'post.liked', partitions: 1 }])
  const records = ['ann', 'bob'].map((by) => ({
    key: null,
    value: new TextEncoder().encode(JSON.stringify({ payload: { by } })),
    headers: [],
    timestampMs: 0,
  }))
  await transport.send({ topic: 'post.liked', partition: 0 }, records)
  const run = async (...words: readonly string[]) => {
    const terminal = fakeTerminal({ currentDirectory: directory.path, env })
    const code = await runCommandLine(
      ['shadow', './present.mjs', 'likes', ...words],
      commands,
      terminal,
    )
    return { code, printed: terminal.printed, notes: terminal.notes.join('\n') }
  }
  const same = await run('--with', './present.mjs')
  assert.deepEqual([same.code, same.printed], [0, []])
  const { code, printed, notes } = await run('--with', './changed.mjs')
  assert.equal(code, 1)
  assert.match(printed[0] ?? '', /^2 × post\.liked: write insert into "likes"/)
  assert.match(printed[1] ?? '', /^ {4}first at post\.liked\/0 at 0 /)
  assert.match(printed[2] ?? '', /^ {4}- .*\["hello ann"\]$/)
  assert.match(printed[3] ?? '', /^ {4}\+ .*\["dear ann"\]$/)
  assert.match(notes, /2 events were heard; at 2 of them the services differ/)
  const later = await run('--with', './changed.mjs', '--from', '1')
  assert.match(later.printed[0] ?? '', /^1 × /)
  assert.equal((await run('--with', './changed.mjs', '--from', 'monday')).code, 2)
})

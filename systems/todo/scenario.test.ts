import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { scenario } from './scenario.ts'

test('a day in the life of the todo system is what the README shows', async () => {
  await using broker = await startBroker({})
  const said: string[] = []
  await scenario({ brokers: broker.bootstrap, say: (line) => said.push(line) })
  const readme = await readFile(new URL('README.md', import.meta.url), 'utf8')
  const shown = /and prints:\n\n```\n([\s\S]*?)```/.exec(readme)?.[1]
  assert.equal(`${said.join('\n')}\n`, shown)
})

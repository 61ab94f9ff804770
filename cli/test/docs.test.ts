import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commands } from '../src/commands.ts'
import { commandHelp, overview } from '../src/help.ts'

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

test('docs/cli.md has the help of every command, word for word', async () => {
  assert.ok(page.includes(overview(commands).join('\n')), 'millrace help')
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const help = commandHelp({ name, summary, command: await load() }).join('\n')
    assert.ok(page.includes(help), `millrace help ${name}`)
  }
})

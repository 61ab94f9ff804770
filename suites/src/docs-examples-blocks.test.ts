import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplesOf } from './docs-examples.ts'

test('blocks with a file name are examples, those of one file belong together', () => {
  const page = [
    '```ts file=kitchen.ts',
    'const a = 1',
    '```',
    'Text, and a block that is only shown:',
    '```ts',
    'const shown = true',
    '```',
    '```ts file=main.ts run',
    "import './kitchen.ts'",
    '```',
    '```ts file=kitchen.ts',
    'console.log(a)',
    '```',
    '```text',
    '1',
    '```',
    '```text',
    'of nobody',
    '```',
  ].join('\n')
  assert.deepEqual(examplesOf(page), [
    {
      file: 'kitchen.ts',
      code: 'const a = 1\n\nconsole.log(a)\n',
      onPostgres: false,
      prints: null,
    },
    { file: 'main.ts', code: "import './kitchen.ts'\n", onPostgres: false, prints: ['1'] },
  ])
})

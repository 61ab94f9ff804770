import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const page = readFileSync(join(import.meta.dirname, '../../docs/testing.md'), 'utf8')
const [buggy = '', repaired = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code = '']) => code,
)

function run(code: string) {
  const options = { cwd: import.meta.dirname, encoding: 'utf8' } as const
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = ['--input-type=module-typescript', '-e', code]
  return spawnSync(process.execPath, args, { ...options, env })
}

test('the simulator finds the bug of the page on testing, and not where it is repaired', () => {
  const found = run(buggy)
  assert.equal(found.status, 1, found.stdout)
  assert.match(found.stdout, /no order is charged twice is broken: charged 2 times/)
  assert.match(found.stdout, /! +\d+ .* shop#1 calls charge\(a, a 1\), but the answer is lost/)
  const line = /^ {4}await charge\(.*\n/m
  assert.match(buggy, line)
  const passes = run(buggy.replace(line, repaired))
  assert.equal(passes.status, 0, passes.stdout)
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findSystems } from './find-systems.ts'

function repository(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'millrace-systems-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

const systemNamed = (name: string) =>
  `export const system: object = { name: '${name}', title: '', services: [], development: [] }`

const namesOf = async (wanted: string | undefined, directory: string) =>
  (await findSystems(wanted, directory)).map(({ name }) => name)

test('systems are found by name, by path, or all of them, from any directory below', async () => {
  using place = repository({
    'systems/todo/system.ts': systemNamed('todo'),
    'systems/wordium/system.ts': systemNamed('wordium'),
    'systems/todo/services/a.ts': '',
    'mine.ts': systemNamed('mine'),
  })
  const below = join(place.root, 'systems', 'todo', 'services')
  assert.deepEqual(await namesOf(undefined, place.root), ['todo', 'wordium'])
  assert.deepEqual(await namesOf('wordium', below), ['wordium'])
  assert.deepEqual(await namesOf('./mine.ts', place.root), ['mine'])
  assert.deepEqual(await namesOf(join(place.root, 'mine.ts'), below), ['mine'])
})

test('where there are none, none are found', async () => {
  using empty = repository({})
  assert.deepEqual(await namesOf(undefined, empty.root), [])
})

test('what is not there, or is no system, is said with what to do', async () => {
  using place = repository({
    'systems/todo/system.ts': systemNamed('todo'),
    'none.ts': 'export const other = 1',
    'wrong.ts': 'export const system = { name: 1 }',
  })
  using empty = repository({})
  const cases: readonly (readonly [string | undefined, string, RegExp])[] = [
    ['todo', empty.root, /there is no system "todo": there are none here/],
    ['tood', place.root, /there is no system "tood": did you mean "todo"\?/],
    ['shop', place.root, /there is no system "shop": there is todo/],
    ['./gone.ts', place.root, /there is no file .*gone\.ts/],
    ['./none.ts', place.root, /none\.ts exports no "system": export const system/],
    ['./wrong.ts', place.root, /"system" of .*wrong\.ts is no system/],
  ]
  for (const [wanted, directory, message] of cases) {
    await assert.rejects(findSystems(wanted, directory), { name: 'CommandFailure', message })
  }
})

test('a mistake inside a system is shown with its place, not taken for a missing file', async () => {
  using place = repository({
    'package.json': '{"type":"module"}',
    'mine.ts': "throw new Error('no such luck')",
  })
  await assert.rejects(findSystems('./mine.ts', place.root), {
    name: 'CommandFailure',
    message: /mine\.ts cannot be loaded: Error: no such luck\s+at .*mine\.ts:1[:0-9]*$/,
  })
  await assert.rejects(findSystems('./package.json', place.root), {
    name: 'CommandFailure',
    message: /package\.json cannot be loaded: TypeError.* needs an import attribute.*$/,
  })
})

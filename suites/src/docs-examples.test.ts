import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { type Example, examplesOf } from './docs-examples.ts'
import { openTestDatabase } from './servers/postgres-database.ts'

const root = join(import.meta.dirname, '../..')
const postgres = process.env['MILLRACE_POSTGRES'] ?? ''

/** An example that has not printed all by then never will. */
const exampleMsMax = 30_000

/** In the repository, where the packages are found; a folder for each page. */
const place = join(root, '.cache', `docs-examples-${process.pid}`)
after(() => rmSync(place, { recursive: true, force: true }))

const pages = globSync('docs/*.md', { cwd: root })
  .sort()
  .map((path) => {
    const examples = examplesOf(readFileSync(join(root, path), 'utf8'))
    const folder = join(place, basename(path, '.md'))
    return { path, folder, examples }
  })
  .filter(({ examples }) => examples.length > 0)

for (const { folder, examples } of pages) {
  mkdirSync(folder, { recursive: true })
  for (const { file, code } of examples) writeFileSync(join(folder, file), code)
}
writeFileSync(join(place, 'package.json'), '{ "type": "module" }')

test('the examples of the docs fit their types', () => {
  const config = { extends: '../../tsconfig.json', include: ['.'], exclude: [] }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', place], {
    cwd: root,
    encoding: 'utf8',
  })
  // What they import is checked with the repository.
  const errors = stdout.split('\n').filter((line) => line.includes(basename(place)))
  assert.deepEqual(errors, [])
})

for (const { path, folder, examples } of pages) {
  for (const example of examples) {
    if (example.prints === null && !example.file.endsWith('.test.ts')) continue
    // Only `npm run test:all` brings one.
    if (example.onPostgres && postgres === '') continue
    test(`${path}: ${example.file} does what the page says`, async () => {
      await using broker = await startBroker({ storage: 'memory' })
      if (!example.onPostgres) {
        await run(example, { folder, brokers: broker.bootstrap, databaseUrl: '' })
        return
      }
      await using database = await openTestDatabase(postgres)
      await run(example, { folder, brokers: broker.bootstrap, databaseUrl: database.url })
    })
  }
}

interface RunOptions {
  readonly folder: string
  readonly brokers: string
  /** Empty for SQLite. */
  readonly databaseUrl: string
}

/** Runs a program until it has printed what it is to print, or a test file to its end. */
async function run(
  { file, prints }: Example,
  { folder, brokers, databaseUrl }: RunOptions,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = prints === null ? ['--test', join(folder, file)] : [join(folder, file)]
  const program = spawn(process.execPath, args, {
    cwd: directory,
    env: { ...env, KAFKA_BROKERS: brokers, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: exampleMsMax,
  })
  const ended = once(program, 'exit')
  const missing = [...(prints ?? [])]
  let said = ''
  program.stderr.setEncoding('utf8').on('data', (part) => {
    said += part
  })
  let rest = ''
  for await (const part of program.stdout.setEncoding('utf8')) {
    said += part
    const lines: string[] = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line === missing[0]) missing.shift()
    if (prints !== null && missing.length === 0) break
  }
  // One that has more to do goes on until it is stopped, as it would on the reader's machine.
  if (prints !== null && missing.length === 0) program.kill()
  const [status] = await ended
  rmSync(directory, { recursive: true, force: true })
  assert.deepEqual(missing, [], `it never printed that; it printed:\n${said}`)
  if (prints === null) assert.equal(status, 0, said)
}

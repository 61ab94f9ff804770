// What users install: the tarballs of `npm run build`, in an empty project outside the repository,
// where the examples of the READMEs are run as they stand there.
import { doesNotMatch, equal, match } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  freePorts,
  repositoryRoot,
  runChecked,
  runCommand,
  type ServerProcess,
  startServerProcess,
} from './servers/servers.ts'

const heading = '## Your own service in ten lines'
const pages = ['README.md', 'kit/README.md']
const said = 'one tea for Ada'
const versions = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))
const suiteVersions = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
const npmMs = 300_000

const strictProject = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2025',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  },
}

let project: string
let broker: ServerProcess
let brokers: string

before(async () => {
  await runChecked(process.execPath, [join(repositoryRoot, 'scripts/build.ts')], {
    timeoutMs: npmMs,
  })
  project = await realpath(await mkdtemp(join(tmpdir(), 'millrace-user-')))
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const tarballs = globSync('dist/*.tgz', { cwd: repositoryRoot })
  const packages = [
    ...tarballs.map((tarball) => join(repositoryRoot, tarball)),
    `zod@${suiteVersions.dependencies.zod}`,
    `typescript@${versions.devDependencies.typescript}`,
    `@types/node@${versions.devDependencies['@types/node']}`,
  ]
  await runChecked('npm', ['install', '--no-audit', '--no-fund', ...packages], {
    folder: project,
    timeoutMs: npmMs,
  })
  const [port = 0] = await freePorts(1)
  brokers = `localhost:${port}`
  broker = startServerProcess({
    name: 'installed broker',
    folder: project,
    command: process.execPath,
    args: ['node_modules/@millrace/broker/serve.js', '--port', String(port)],
  })
})

after(async () => {
  await broker.stop()
  await rm(project, { recursive: true, force: true })
})

for (const page of pages) {
  test(`the example of ${page} runs as JavaScript`, async () => {
    await hears(await write(page, 'kitchen.js', exampleOf(page)))
  })

  test(`the example of ${page} is well typed, and runs as TypeScript`, async () => {
    const folder = await write(page, 'kitchen.ts', exampleOf(page))
    equal((await typeCheck(folder)).stdout, '')
    await hears(folder)
  })

  test(`an event that the catalogue of ${page} does not know is a type error`, async () => {
    const misspelt = exampleOf(page).replace("publish('tea.ordered'", "publish('tea.orderd'")
    const { exitCode, stdout } = await typeCheck(await write(page, 'kitchen.ts', misspelt))
    equal(exitCode, 1)
    match(stdout, /kitchen\.ts.*"tea\.orderd"/)
  })
}

test('the installed command lists what the example said', async () => {
  await hears(await write('kit/README.md', 'kitchen.js', exampleOf('kit/README.md')))
  const environment = { KAFKA_BROKERS: brokers }
  const listed = await runChecked('npx', ['--no-install', 'millrace', 'topics', '--json'], {
    folder: project,
    environment,
  })
  match(listed, /tea\.ordered/)
})

test('every entry of every package is well typed, and can be loaded', async () => {
  const entries = [
    '@millrace/kit',
    '@millrace/kit/http',
    '@millrace/kit/evolution',
    '@millrace/kit/shadow',
    '@millrace/kit/inside',
    '@millrace/testing',
    '@millrace/broker',
  ]
  const imports = entries.map((entry, index) => `import * as e${index} from '${entry}'`)
  const all = entries.map((_, index) => `e${index}`)
  const text = `${imports.join('\n')}\nif (Object.keys({ ${all.join()} }).length > 0) console.log('all')\n`
  const folder = await write('entries', 'entries.ts', text)
  equal((await typeCheck(folder)).stdout, '')
  match(await runChecked(process.execPath, ['entries.ts'], { folder }), /^all$/m)
})

test('no installed file names a TypeScript source of the repository', async () => {
  const files = globSync('node_modules/{millrace,@millrace/*}/**/*.{js,mjs,d.ts}', { cwd: project })
  equal(files.length > 0, true)
  for (const file of files) {
    const text = readFileSync(join(project, file), 'utf8')
    doesNotMatch(text, /(from |import\()['"][^'"]*(?<!\.d)\.ts['"]/, file)
  }
})

/** The code block itself, as a reader copies it. */
function exampleOf(page: string): string {
  const [, section] = readFileSync(join(repositoryRoot, page), 'utf8').split(heading)
  const [, code] = /```ts\n(.*?)```/s.exec(section ?? '') ?? []
  if (code === undefined) throw new Error(`${page} has no \`\`\`ts block under "${heading}"`)
  return code
}

let folders = 0

/** A folder of its own, because the example keeps its data beside itself. */
async function write(page: string, file: string, code: string): Promise<string> {
  folders += 1
  const folder = join(project, `${page.replace(/\W/g, '-')}-${folders}`)
  await mkdir(folder)
  await writeFile(join(folder, file), code)
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(strictProject))
  return folder
}

function typeCheck(folder: string) {
  return runCommand('npx', ['--no-install', 'tsc', '--project', folder], { folder: project })
}

/** Runs the example until it says that its own event has come back to it. */
async function hears(folder: string): Promise<void> {
  const [file = ''] = globSync('kitchen.*', { cwd: folder })
  const child: ChildProcess = spawn(process.execPath, [file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KAFKA_BROKERS: brokers },
  })
  const ended = once(child, 'exit')
  let output = ''
  const heard = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8')
        if (output.includes(said)) resolve()
      })
    }
  })
  const isHeard = await Promise.race([heard.then(() => true), ended.then(() => false)])
  child.kill('SIGTERM')
  await ended
  equal(isHeard, true, `it ended before it said "${said}":\n${output}`)
}

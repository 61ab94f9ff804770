// `npm test`: every test that needs nothing but Node. `npm run test:all` adds `*.all.test.ts`,
// which need Java, Debian packages or Go, and starts their servers once for all of them.
// `npm test -- relay` runs the files whose path contains "relay". Every file is a process of its
// own, so that one that crashes or hangs fails by its name and the others still run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startAllServers } from '@millrace/suites/servers'

/** Several times what the slowest file, and the whole run, take on two busy cores. */
const limits = {
  needsNode: { fileSecondsMax: 600, runSecondsMax: 1800 },
  needsServers: { fileSecondsMax: 1200, runSecondsMax: 3000 },
}
/** What the runner has to name the files that it interrupts, before it is killed. */
const interruptMs = 10_000

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const files = testFiles(values.all, positionals)
if (files.length === 0) {
  console.error(`no test file has a path that contains ${positionals.join(' or ')}`)
  process.exitCode = 1
} else if (values.all) {
  await using servers = await startAllServers()
  process.exitCode = await runTests(files, limits.needsServers, servers.variables)
} else {
  process.exitCode = await runTests(files, limits.needsNode, {})
}

function testFiles(all: boolean, patterns: readonly string[]): string[] {
  const roots = '{wire,broker,kit,testing,cli,suites,systems,bench,scripts}'
  return globSync(`${roots}/**/*.test.ts`, { exclude: ['**/node_modules', '**/dist'] })
    .filter((file) => all || !file.endsWith('.all.test.ts'))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort()
}

/** The last lines printed are the test runner's own. */
async function runTests(
  files: readonly string[],
  { fileSecondsMax, runSecondsMax }: { fileSecondsMax: number; runSecondsMax: number },
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const runner = spawn(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${Math.max(2, availableParallelism())}`,
      `--import=${join(import.meta.dirname, 'test-deadline.ts')}`,
      ...files,
    ],
    {
      stdio: 'inherit',
      env: { ...process.env, ...variables, MILLRACE_TEST_FILE_SECONDS: String(fileSecondsMax) },
    },
  )
  const overdue = setTimeout(() => {
    console.error(`the tests still run after ${runSecondsMax} s; interrupted:`)
    runner.kill('SIGINT')
    setTimeout(() => runner.kill('SIGKILL'), interruptMs).unref()
  }, runSecondsMax * 1000)
  // The runner says what it was at, and ends what it had started.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill('SIGINT'))
  const [exitCode]: (number | null)[] = await once(runner, 'exit')
  clearTimeout(overdue)
  return exitCode ?? 1
}

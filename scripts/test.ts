// `npm test`: every test that needs nothing but Node. `npm run test:all` adds `*.all.test.ts`,
// which need Java, Debian packages or Go, and starts their servers once for all of them.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { cpus } from 'node:os'

const all = process.argv.includes('--all')
const roots = '{wire,broker,kit,cli,suites,systems,bench,scripts}'
const files = globSync(`${roots}/**/*.test.ts`, { exclude: (name) => name === 'node_modules' })
  .filter((file) => all || !file.endsWith('.all.test.ts'))
  .sort()

const { status } = spawnSync(
  process.execPath,
  ['--test', `--test-concurrency=${Math.max(2, cpus().length)}`, ...files],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1

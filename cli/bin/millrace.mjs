#!/usr/bin/env node
// The `millrace` command. It is plain JavaScript that Node 20 parses, so that an old Node gets a
// sentence, or a newer Node that npm has brought, and not a syntax error.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as modules from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const startedByOldNode = 'MILLRACE_STARTED_BY_OLD_NODE'
const here = dirname(fileURLToPath(import.meta.url))
const sources = join(here, '..', 'src', 'main.ts')
const built = join(here, '..', 'main.js')
const main = existsSync(sources) ? sources : built

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Compiled code is kept between runs (in the system's directory for temporary files), which
  // saves a good part of the start.
  modules.enableCompileCache?.()
  endWithParent()
  await import(pathToFileURL(main).href)
} else {
  runWith(newerNode())
}

/** Node 24 as npm's `node` package brings it, or the end of this process. */
function newerNode() {
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  try {
    const found = modules.createRequire(import.meta.url).resolve('node/package.json')
    const node = join(dirname(found), 'bin', file)
    if (existsSync(node)) return node
  } catch {
    // The package is not installed: the line below says what to do.
  }
  console.error(
    `millrace needs Node 24 or later and this is Node ${process.versions.node}. Install Node 24, or add it to your project with "npm install --save-dev node@24" (npm must be allowed to run its install script).`,
  )
  return process.exit(1)
}

/** Under an older Node this process is a child, and ends in order when its parent is gone. */
function endWithParent() {
  if (process.env[startedByOldNode] === undefined || process.channel === undefined) return
  delete process.env[startedByOldNode]
  process.on('disconnect', () => process.emit('SIGTERM'))
  process.channel.unref()
}

function runWith(node) {
  const words = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child = spawn(node, words, {
    env: { ...process.env, [startedByOldNode]: '1' },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  // Ctrl-C reaches the child by itself; this process only has to outlive it.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('error', (error) => {
    console.error(`millrace cannot run ${node}: ${error.message}. Install Node 24 or later.`)
    process.exitCode = 1
  })
  child.on('close', (code, signal) => {
    process.exitCode = signal ? 1 : code
  })
}

// Runs a TypeScript program of this repository with Node 24: the one that runs now if it is new
// enough, else the one that `npm install` brought. Node 20 parses this file.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24
const installed = join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
)

if (!isNewEnough && !existsSync(installed)) {
  console.error(
    `Millrace needs Node 24 and this is Node ${process.versions.node}. npm's package "node" brings it, but its install script did not run: run "npm rebuild node", or install Node 24 yourself.`,
  )
  process.exit(1)
}

const node = isNewEnough ? process.execPath : installed
const bin = join(root, 'node_modules', '.bin')
const separator = process.platform === 'win32' ? ';' : ':'
const child = spawn(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${separator}${process.env.PATH ?? ''}` },
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('close', (code, signal) => {
  process.exitCode = signal ? 1 : code
})

// Brings what a fresh clone is missing, and says so in one line: packages, and Node 24 among them.
// Plain JavaScript that Node 20 parses, because it runs before anything is installed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules', '.millrace-prepared')

if (!isPrepared()) await install()

function isPrepared() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash()
}

/** What is installed is right as long as the lockfile and the platform are the same. */
function lockHash() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return createHash('sha256')
    .update(lock)
    .update(`${process.platform} ${process.arch}`)
    .digest('hex')
}

async function install() {
  const startedAtMs = Date.now()
  const progress = showProgress('Installing packages, Node 24 among them (once)')
  const { code, output } = await runNpm(['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  progress.end()
  if (code !== 0) {
    console.error(output.trimEnd())
    console.error(
      'npm ci failed: see the lines above. Check the network and `npm config get registry`.',
    )
    process.exit(1)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, lockHash())
  console.error(`Installed packages in ${((Date.now() - startedAtMs) / 1000).toFixed(0)} s.`)
}

function runNpm(args) {
  // Inside an npm script npm names itself, which also works where `npm` is not on the path.
  const npm = process.env.npm_execpath
  const [command, argv] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args]
  return new Promise((resolve) => {
    const child = spawn(command, argv, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => resolve({ code: 1, output: String(error) }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

function showProgress(text) {
  if (!process.stderr.isTTY) {
    console.error(`${text} …`)
    return { end() {} }
  }
  const startedAtMs = Date.now()
  const draw = () => {
    const seconds = Math.floor((Date.now() - startedAtMs) / 1000)
    process.stderr.write(`\r${text} ${'.'.repeat((seconds % 3) + 1).padEnd(3)} ${seconds} s `)
  }
  draw()
  const timer = setInterval(draw, 500)
  return {
    end() {
      clearInterval(timer)
      process.stderr.write('\r\u001b[K')
    },
  }
}

import { strictEqual } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServerProcess } from './server-process.ts'

const serving = ['-e', 'console.log("serving"); setInterval(() => {}, 1000)']

test('a server that is stopped is gone when stop returns', async (t) => {
  const server = startServerProcess({ ...(await command(t)), args: serving })
  await server.stop()
  strictEqual(server.running(), false)
  strictEqual(isAlive(server.id), false)
})

test('the process id of a server is its own', async (t) => {
  const options = await command(t)
  const server = startServerProcess({ ...options, args: ['-e', 'console.log(process.pid)'] })
  await until(() => !server.running())
  strictEqual(server.lastLines(), String(server.id))
})

test('a server ends when the process that started it is killed', { timeout: 30_000 }, async (t) => {
  // A connection from the server closes when it ends, also where nobody reaps its process.
  const { folder } = await command(t)
  const listener = createServer().listen(0, '127.0.0.1')
  t.after(() => listener.close())
  await once(listener, 'listening')
  const address = listener.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const connecting = `require("node:net").connect(${port}, "127.0.0.1").resume()`
  const options = { name: 'it', folder, command: process.execPath, args: ['-e', connecting] }
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { startServerProcess } from ${JSON.stringify(import.meta.resolve('./server-process.ts'))}
       startServerProcess(${JSON.stringify(options)})`,
    ],
    { stdio: 'inherit' },
  )
  const [connection]: Socket[] = await once(listener, 'connection')
  connection?.on('error', () => {}).resume()
  parent.kill('SIGKILL')
  if (connection?.closed === false) await once(connection, 'close')
})

test('a server is told by the lines that it wrote before it ended', async (t) => {
  const options = await command(t)
  const server = startServerProcess({
    ...options,
    args: ['-e', 'console.error("no such listener"); process.exit(3)'],
  })
  await until(() => !server.running())
  strictEqual(server.lastLines(), 'no such listener')
})

async function command(t: { after(fn: () => Promise<void>): void }) {
  const folder = await mkdtemp(join(tmpdir(), 'server-process-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return { name: 'a server', folder, command: process.execPath }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch {
    return false
  }
}

/** Waits for what another process does; the test's own time limit is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { bringPrograms, isOnPath } from './debian-packages.ts'
import { freePorts } from './free-ports.ts'
import { runChecked } from './run-command.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

export interface PostgresServer extends AsyncDisposable {
  /** A superuser's, of the database that is there from the start. */
  readonly url: string
  readonly processId: number
  /** As a power cut: it is killed. `start` brings it back on the same port. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** It takes 50 ms on an idle machine, and after a kill it recovers first. */
const readyMsMax = 60_000

/**
 * A PostgreSQL of its own: an empty data directory, on 127.0.0.1, with everything on that makes a
 * commit durable. It refuses to run as root, so a root starts it as Debian's user `postgres`.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = await bringPostgres()
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  const as = await serverUser([folder, data])
  const initialize = ['-D', data, '-U', 'millrace', '-A', 'trust', '-E', 'UTF8']
  const options = ['--locale=C.UTF-8', '--no-instructions']
  await runOn(as, [join(programs, 'initdb'), ...initialize, ...options])
  const [port] = await freePorts(1)
  const url = `postgresql://millrace@127.0.0.1:${port}/postgres`
  const spawn = (): ServerProcess => {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=']
    const flags = settings.flatMap((setting) => ['-c', setting])
    const words = [join(programs, 'postgres'), '-D', data, '-p', String(port), ...flags]
    const [command, args] = commandOf(as, words)
    return startServerProcess({ name: 'PostgreSQL', folder, command, args })
  }
  let server = spawn()
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
  try {
    await postgresReady(server, url)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    get processId() {
      return server.id
    },
    kill: () => server.stop(),
    async start() {
      server = spawn()
      await postgresReady(server, url)
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Where PostgreSQL's programs are, which Debian keeps off the path; installs it if missing. */
export async function bringPostgres(): Promise<string> {
  const found = findPrograms()
  if (found !== null) return found
  await bringPrograms([{ program: 'initdb', debianPackage: 'postgresql' }])
  const installed = findPrograms()
  if (installed === null) throw new Error('the package postgresql has no initdb where it should be')
  return installed
}

function findPrograms(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian) : []
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a))
  const folders = newestFirst.map((version) => join(debian, version, 'bin'))
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')))
  return found ?? (isOnPath('initdb') ? '' : null)
}

/** How the server is started: for a root, as a user of its own, which then owns the folders. */
async function serverUser(folders: readonly string[]): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return []
  const user = 'postgres'
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number(await runChecked('id', [flag, user]))),
  )
  if (uid === undefined || gid === undefined) throw new Error(`there is no user "${user}"`)
  for (const folder of folders) chownSync(folder, uid, gid)
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
}

async function runOn(as: readonly string[], command: readonly string[]): Promise<void> {
  await runChecked(...commandOf(as, command))
}

function commandOf(
  as: readonly string[],
  words: readonly string[],
): [command: string, args: readonly string[]] {
  const [command, ...args] = [...as, ...words]
  if (command === undefined) throw new Error('there is no command')
  return [command, args]
}

async function postgresReady(server: ServerProcess, url: string): Promise<void> {
  const deadlineMs = performance.now() + readyMsMax
  for (;;) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => {})
      if (!server.running()) {
        throw new Error(`${server.name} ended:\n${server.lastLines()}`, { cause: error })
      }
      if (performance.now() > deadlineMs) {
        throw new Error(`${server.name} was not ready in ${readyMsMax / 1000} s`, { cause: error })
      }
    }
    await sleep(20)
  }
}

/**
 * A server that a test run or the bench starts: a process with its own log file.
 *
 * S1. It ends when this process ends, however that happens: a guard reads a pipe from here, and
 *     kills the server when the pipe closes.
 * S2. Its process id is the server's own, not a shell's: the shell that starts the guard becomes
 *     the server (`exec`).
 * S3. `stop` kills it: of a server that only a test used, nothing is worth keeping.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ServerProcess {
  /** What is started, as a person calls it. */
  readonly name: string
  readonly id: number
  /** Whether it still runs. */
  running(): boolean
  /** The last lines that it wrote, for a message about why it ended. */
  lastLines(): string
  /** Kills it, and waits until it is gone. */
  stop(): Promise<void>
  /** Asks it to end in order (SIGTERM), and waits until it has. */
  end(): Promise<void>
}

export interface ServerCommand {
  readonly name: string
  /** Where its log is written; it is also its working directory. */
  readonly folder: string
  readonly command: string
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

const lastLinesMax = 30

/** $$ is the shell's own process id also inside the guard, and after `exec` the server's. */
const guarded = '(read -r _; kill -KILL $$) >/dev/null 2>&1 <&3 & exec 3<&-; exec "$@" </dev/null'

export function startServerProcess(options: ServerCommand): ServerProcess {
  const { name, folder, command, args } = options
  const logFile = join(folder, `${name.replaceAll(' ', '-')}.log`)
  const log = openSync(logFile, 'a')
  const child = spawn('sh', ['-c', `exec 3<&0; ${guarded}`, 'sh', command, ...args], {
    cwd: folder,
    stdio: ['pipe', log, log],
    env: { ...process.env, ...options.environment },
  })
  closeSync(log)
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} did not start: there is no "sh" to start it with`)
  const ended = once(child, 'exit')
  const running = () => child.exitCode === null && child.signalCode === null
  return {
    name,
    id: pid,
    running,
    lastLines: () =>
      readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lastLinesMax).join('\n'),
    async stop() {
      if (running()) child.kill('SIGKILL')
      await ended
    },
    async end() {
      if (running()) child.kill('SIGTERM')
      await ended
    },
  }
}

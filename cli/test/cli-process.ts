import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url))

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly currentDirectory?: string
}

/** How a command ended. */
export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real command to its end. */
export async function millrace(
  words: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  await using running = startMillrace(words, options)
  return await running.ended
}

/** The real command in a process of its own; it is killed when the test is over. */
export interface RunningCli extends AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<CliResult>
  readonly stdout: string
  readonly stderr: string
  /** Resolves when standard output or error has that text; rejects when it ends without. */
  said(text: string | RegExp): Promise<void>
}

/** The variables of whoever runs the tests must not decide how they end. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'NODE_COMPILE_CACHE']

export function startMillrace(words: readonly string[], options: CliOptions = {}): RunningCli {
  const own = inherited.map((name) => [name, process.env[name]])
  const child = spawn(process.execPath, [entry, ...words], {
    cwd: options.currentDirectory ?? process.cwd(),
    env: { ...Object.fromEntries(own), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  const changes = new EventEmitter()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      changes.emit('change')
    })
  }
  let hasEnded = false
  const ended = once(child, 'close').then(([code]: unknown[]): CliResult => {
    hasEnded = true
    changes.emit('change')
    return { code: typeof code === 'number' ? code : null, ...output }
  })
  return {
    process: child,
    ended,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    async said(text) {
      const isThere = () =>
        [output.stdout, output.stderr].some((whole) =>
          typeof text === 'string' ? whole.includes(text) : text.test(whole),
        )
      while (!isThere()) {
        if (hasEnded) {
          const all = `${output.stdout}${output.stderr}`
          throw new Error(`it ended and never said ${String(text)}:\n${all}`)
        }
        await once(changes, 'change')
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}

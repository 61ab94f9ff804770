import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

export interface ChildOptions {
  readonly name: string
  /** The file that Node runs. */
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether it answers yet. */
  readonly isReady: () => Promise<boolean>
}

/** A start on a busy machine takes seconds; past this it has failed. */
const readyMsMax = 60_000

/** What a process says is kept for the error message; the last lines are the ones that count. */
const outputLengthMax = 8_000

/**
 * A process that dies by SIGKILL and is started again, as often as the test likes.
 *
 * D1. It runs at most once at a time: `start` comes after `kill` has seen the old one's end.
 * D2. `kills` counts the processes that were killed.
 * D3. Once disposed of it does not start again; and it ends by itself when the test's own process
 *     is gone, because it has a channel to it.
 */
export class Child implements AsyncDisposable {
  readonly #options: ChildOptions
  #process: ChildProcess | undefined
  #output = ''
  #kills = 0
  #isDisposed = false

  constructor(options: ChildOptions) {
    this.#options = options
  }

  get kills(): number {
    return this.#kills
  }

  /** Resolves when it is ready; rejects with what it printed where it ends before. */
  async start(): Promise<void> {
    const { name, script, args, env, isReady } = this.#options
    if (this.#isDisposed) throw new Error(`${name} is disposed of`)
    const started = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#process = started
    this.#output = ''
    const keep = (chunk: Buffer) => {
      this.#output = `${this.#output}${chunk.toString()}`.slice(-outputLengthMax)
    }
    started.stdout?.on('data', keep)
    started.stderr?.on('data', keep)
    const deadline = AbortSignal.timeout(readyMsMax)
    while (!(await isReady())) {
      if (started.exitCode !== null || started.signalCode !== null || deadline.aborted) {
        throw new Error(`${name} does not get ready; it said:\n${this.#output}`)
      }
      await pause(20)
    }
  }

  /** SIGKILL: no handler runs, nothing is flushed. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const killed = this.#process
    this.#process = undefined
    if (!killed) return
    if (killed.exitCode !== null || killed.signalCode !== null) {
      throw new Error(`${this.#options.name} had ended by itself; it said:\n${this.#output}`)
    }
    const gone = once(killed, 'exit')
    killed.kill('SIGKILL')
    await gone
    this.#kills += 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.kill()
  }
}

import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly folder?: string
  readonly environment?: Readonly<Record<string, string>>
  /** What it reads on its standard input; nothing when absent. */
  readonly input?: string | Uint8Array
  /** It is killed after this time; its exit code is then null. */
  readonly timeoutMs?: number
}

/** Two minutes: longer than any of the programs here takes on a busy machine. */
const timeoutMsDefault = 120_000

/** Runs a program to its end and gives what it wrote, whatever its exit code. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    timeout: options.timeoutMs ?? timeoutMsDefault,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends before it read everything is judged by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) =>
      resolve({
        exitCode,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      }),
    )
  })
}

/** Runs a program that must succeed, and gives what it wrote to its standard output. */
export async function runChecked(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(command, args, options)
  if (exitCode === 0) return stdout
  const ended = exitCode === null ? 'was ended before it was done' : `ended with code ${exitCode}`
  throw new Error(`${command} ${args.join(' ')} ${ended}:\n${stderr}${stdout}`)
}

import { runCommandLine } from './command-line.ts'
import { openTerminal, readerGone } from './output/terminal.ts'

// The command table. A command's file is loaded when it runs, so that `topics` does not pay for
// `start`.
const commands = {
  start: async () => (await import('./commands/start.ts')).command,
  run: async () => (await import('./commands/run.ts')).command,
  topics: async () => (await import('./commands/topics.ts')).command,
  tail: async () => (await import('./commands/tail.ts')).command,
  groups: async () => (await import('./commands/groups.ts')).command,
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).command,
  redrive: async () => (await import('./commands/redrive.ts')).command,
  discard: async () => (await import('./commands/discard.ts')).command,
  reset: async () => (await import('./commands/reset.ts')).command,
}

const interruption = new AbortController()
// The first Ctrl-C lets the command end in order; a second ends it where it stands.
const interrupt = () => {
  if (interruption.signal.aborted) process.exit(130)
  interruption.abort()
}
process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)
// `millrace tail … | head` closes the pipe: there is nobody left to read, which is no failure.
process.stdout.on('error', () => interruption.abort(readerGone))

const terminal = openTerminal({
  input: process.stdin,
  output: process.stdout,
  error: process.stderr,
  env: process.env,
  currentDirectory: process.cwd(),
  interrupted: interruption.signal,
})
process.exitCode = await runCommandLine(process.argv.slice(2), commands, terminal)

import { runCommandLine } from './command-line.ts'
import { commands } from './commands.ts'
import { openTerminal, readerGone } from './output/terminal.ts'

const interruption = new AbortController()
// The first Ctrl-C lets the command end in order; a second ends it where it stands.
const interrupt = () => {
  if (interruption.signal.aborted) process.exit(130)
  interruption.abort()
}
process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)
process.on('SIGHUP', interrupt)
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

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'
import type { BrokerRun } from './broker-keeper.ts'
import { brokerReasonLinesMax, brokerStartMsMax } from './limits.ts'
import type { LogFile } from './log-file.ts'

export interface BrokerProcessOptions {
  readonly ports: readonly number[]
  readonly directory: string
  readonly log: LogFile
  readonly clock: Clock
}

/**
 * Starts the broker in a process of its own. Its standard input is a line to us: it ends when
 * that is closed, and so when this process dies, however it dies. Its first line on standard
 * output says that its listeners are open; what it says on standard error is for people.
 */
export function launchBroker({ ports, directory, log, clock }: BrokerProcessOptions): BrokerRun {
  const script = fileURLToPath(import.meta.resolve('@millrace/broker/serve'))
  const child = spawn(process.execPath, [script, directory, ...ports.map(String)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    // In a process group of its own Ctrl-C does not reach it: it ends last, when we say so.
    detached: process.platform !== 'win32',
  })
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<string>()
  const said: string[] = []
  // It may be gone when we ask it to stop.
  child.stdin.on('error', () => undefined)
  forEachLine(child.stdout, (line) => {
    log.write(`${line}\n`)
    ready.resolve()
  })
  forEachLine(child.stderr, (line) => {
    log.write(`${line}\n`)
    said.push(line)
    if (said.length > brokerReasonLinesMax) said.shift()
  })
  const late = clock.after(brokerStartMsMax, () => {
    ready.reject(new CommandFailure(`the broker did not start within ${brokerStartMsMax / 1000} s`))
    child.kill('SIGKILL')
  })
  void ready.promise.then(late.cancel, late.cancel)
  const end = (how: string) => {
    ready.reject(new CommandFailure(`the broker cannot start: ${said.join('\n') || how}`))
    ended.resolve(said.at(-1) ?? how)
  }
  child.on('error', (error) => end(error.message))
  child.on('close', (code, signal) => end(signal ?? `exit code ${code}`))
  return {
    ready: ready.promise,
    ended: ended.promise,
    stop: () => child.stdin.end(),
    kill: () => child.kill('SIGKILL'),
  }
}

function forEachLine(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream }).on('line', take)
}

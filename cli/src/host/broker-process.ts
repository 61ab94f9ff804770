import { type ChildProcess, spawn } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { ServeMessage } from '@millrace/broker/serve'
import type { Clock } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'
import { brokerReasonLinesMax, brokerStartMsMax } from '../limits.ts'
import type { BrokerRun } from './broker-keeper.ts'
import type { LogFile } from './log-file.ts'

export interface BrokerProcessOptions {
  readonly ports: readonly number[]
  readonly directory: string
  readonly log: LogFile
  readonly clock: Clock
}

/**
 * A small young generation: 15 MB less for the whole, and a broker whose batches lie outside the
 * heap is hardly slower for it.
 */
const processOptions = ['--max-semi-space-size=1']

/**
 * Starts the broker in a process of its own, which ends when this one does, however it ends. It
 * tells us by IPC that its listeners are open, or why they cannot be.
 */
export function launchBroker({ ports, directory, log, clock }: BrokerProcessOptions): BrokerRun {
  const script = fileURLToPath(import.meta.resolve('@millrace/broker/serve'))
  const words = [...ports.flatMap((port) => ['--port', String(port)]), '--data', directory]
  const child = spawn(process.execPath, [...processOptions, script, ...words], {
    env: { ...process.env, NODE_COMPILE_CACHE: getCompileCacheDir() ?? '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
    // In a process group of its own Ctrl-C does not reach it: it ends last, when we say so.
    detached: process.platform !== 'win32',
  })
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<string>()
  const said: string[] = []
  child.on('message', (message: ServeMessage) => {
    if (message.kind === 'ready') ready.resolve()
  })
  forEachLine(child.stdout, (line) => log.write(`${line}\n`))
  forEachLine(child.stderr, (line) => {
    log.write(`${line}\n`)
    said.push(line)
    if (said.length > brokerReasonLinesMax) said.shift()
  })
  const late = clock.after(brokerStartMsMax, () => {
    ready.reject(new CommandFailure(`the broker did not start within ${brokerStartMsMax / 1000} s`))
    child.kill('SIGKILL')
  })
  const inTime = () => late.cancel()
  void ready.promise.then(inTime, inTime)
  const end = (how: string) => {
    ready.reject(new CommandFailure(`the broker cannot start: ${said.join('\n') || how}`))
    ended.resolve(said.at(-1) ?? how)
  }
  child.on('error', (error) => end(error.message))
  child.on('close', (code, signal) => end(signal ?? `exit code ${code}`))
  return {
    ready: ready.promise,
    ended: ended.promise,
    stop: () => askToStop(child),
    kill: () => child.kill('SIGKILL'),
  }
}

/** Windows has no signals that a process could act on; a closed channel says the same. */
function askToStop(child: ChildProcess): void {
  if (process.platform !== 'win32') child.kill('SIGTERM')
  else if (child.connected) child.disconnect()
}

function forEachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', take)
}

// The broker as a process of its own.
//
// To a parent it says by IPC that it is ready, or why it is not; it ends when the parent is gone.
// SIGTERM closes in order. SIGINT reaches the whole foreground group, so a broker that has a parent
// leaves it to that one, which ends it last.

import { readServeOptions } from './serve-options.ts'
import { type Broker, startBroker } from './start-broker.ts'

/** What the process tells its parent, once. */
export type ServeMessage =
  | {
      readonly kind: 'ready'
      readonly clusterId: string
      readonly addresses: readonly { readonly host: string; readonly port: number }[]
    }
  | { readonly kind: 'failed'; readonly message: string }

// Nobody reads what is said when the parent has died; that must not keep the logs from closing.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

const outcome = readServeOptions(process.argv.slice(2), process.env)
if (outcome.kind === 'wrong') {
  fail(outcome.problems.join('\n'))
} else {
  try {
    serve(await startBroker({ ...outcome.options, report: say }))
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
  }
}

function serve(broker: Broker): void {
  let closing: Promise<void> | undefined
  const close = (why: string): void => {
    if (closing !== undefined) return
    say(`closing: ${why}`)
    closing = broker.close().then(
      () => {
        say('closed')
        if (process.connected) process.disconnect()
      },
      (error: unknown) => fail(error instanceof Error ? error.message : String(error)),
    )
  }
  process.on('SIGTERM', () => close('SIGTERM'))
  const hasParent = process.send !== undefined
  process.on('SIGINT', () => {
    if (!hasParent) close('SIGINT')
  })
  process.on('disconnect', () => close('the parent process is gone'))
  if (hasParent && !process.connected) close('the parent process is gone')
  const { clusterId, addresses } = broker
  const at = addresses.map(({ host, port }) => `${host}:${port}`).join(', ')
  say(`ready at ${at}, cluster ${clusterId}`)
  tellParent({ kind: 'ready', clusterId, addresses })
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
  tellParent({ kind: 'failed', message }, () => {
    if (process.connected) process.disconnect()
  })
}

function tellParent(message: ServeMessage, told?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => told?.())
}

function say(line: string): void {
  console.log(`${new Date().toISOString()} ${line}`)
}

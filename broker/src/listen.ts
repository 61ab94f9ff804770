// From what was asked for to open addresses. A listener without a host is both loopback addresses
// under one port, advertised as `localhost`: librdkafka resolves that name to ::1 first.

import type { Endpoint } from './endpoint.ts'
import { ListenError, Listener } from './listener.ts'
import type { ReadStrategy } from './socket-reader.ts'

export interface ListenerSettings {
  /** Where to listen; both loopback addresses when it is left out. */
  readonly host?: string
  /** 0 takes a port that the system gives. */
  readonly port: number
  /** What clients are told; the host, or `localhost` where that is no address to connect to. */
  readonly advertisedHost?: string
  /** What clients are told; the port that is listened at. */
  readonly advertisedPort?: number
}

/** What one of the settings became. */
export interface OpenListener {
  readonly listeners: readonly Listener[]
  readonly endpoint: Endpoint
}

/** How often a free port of one loopback address may turn out to be taken at the other. */
const attemptsMax = 10

/** @throws ListenError; nothing stays open then */
export async function listenAll(
  settings: readonly ListenerSettings[],
  reads: ReadStrategy,
): Promise<readonly OpenListener[]> {
  const opened: OpenListener[] = []
  try {
    for (const setting of settings) opened.push(await listenOne(setting, reads))
    return opened
  } catch (error) {
    await Promise.all(opened.flatMap(({ listeners }) => listeners.map((one) => one.close())))
    throw error
  }
}

async function listenOne(settings: ListenerSettings, reads: ReadStrategy): Promise<OpenListener> {
  const { host, port, advertisedHost, advertisedPort } = settings
  const listeners =
    host === undefined
      ? await listenLoopback(port, reads)
      : [await Listener.open({ host, port, reads })]
  const endpoint = {
    host: advertisedHost ?? advertisable(host),
    port: advertisedPort ?? listeners[0]?.port ?? port,
  }
  return { listeners, endpoint }
}

async function listenLoopback(port: number, reads: ReadStrategy): Promise<readonly Listener[]> {
  for (let attempt = 1; ; attempt++) {
    const first = await Listener.open({ host: '127.0.0.1', port, reads })
    try {
      return [first, await Listener.open({ host: '::1', port: first.port, reads })]
    } catch (error) {
      // A machine without IPv6 has one loopback address.
      if (error instanceof ListenError && error.code === 'unavailable') return [first]
      await first.close()
      const isRetriable = error instanceof ListenError && error.retriable && port === 0
      if (!isRetriable || attempt === attemptsMax) throw error
    }
  }
}

/** Nobody can connect to the addresses that stand for all of a machine's. */
function advertisable(host: string | undefined): string {
  return host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host
}

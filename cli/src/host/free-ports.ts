import { once } from 'node:events'
import { createServer } from 'node:net'
import { CommandFailure } from '../failure.ts'
import type { PortPlace } from './addresses.ts'

const loopback = ['127.0.0.1', '::1']

/**
 * Looks whether every port is free, before anything starts, so that one answer names them all.
 * Somebody may still take one in between; its part then fails by itself.
 * @throws CommandFailure that names each port in use and the part that wants it
 */
export async function checkPortsFree(
  places: readonly PortPlace[],
  portOffset: number,
): Promise<void> {
  const free = await Promise.all(places.map(({ port }) => isFree(port)))
  const taken = places.filter((_, index) => free[index] === false)
  if (taken.length === 0) return
  const [first] = taken
  const named = taken.map(({ port, part }) => `port ${port} (wanted by ${part})`).join(', ')
  throw new CommandFailure(
    `${named} ${taken.length === 1 ? 'is' : 'are'} in use: stop what listens there, or move ` +
      `all ports with --port-offset ${portOffset + 100}` +
      (first === undefined ? '' : ` (then ${first.part} has ${first.port + 100})`),
  )
}

async function isFree(port: number): Promise<boolean> {
  for (const host of loopback) {
    if (!(await canListen(host, port))) return false
  }
  return true
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch (error) {
    // A machine without IPv6 has no ::1, and nobody can be in our way there.
    return !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
  }
}

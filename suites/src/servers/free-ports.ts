import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Ports on 127.0.0.1 that nobody uses, all different: for a server that must know its port before
 * it starts. Another program may take one in between; the server then fails to start.
 */
export async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(holders.map((holder) => once(holder, 'listening')))
  const ports = holders.map((holder) => {
    const address = holder.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP port was asked for')
    return address.port
  })
  await Promise.all(holders.map((holder) => once(holder.close(), 'close')))
  return ports
}

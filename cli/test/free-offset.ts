import { once } from 'node:events'
import { createServer } from 'node:net'

/** The ports that a host of the todo system wants, before the offset. */
const wanted = [4000, 8084, 8085, 8086, 8025, 1025, 9092, 29092]

/**
 * An offset that moves all ports of a host to free ones. The system chooses one port, and the
 * others are looked at; somebody may still come in between.
 */
export async function freeOffset(): Promise<number> {
  for (;;) {
    const offset = (await openPort(0)) - 29_092
    if (offset < 1) continue
    const looked = await Promise.all(wanted.map(async (port) => isFree(port + offset)))
    if (looked.every(Boolean)) return offset
  }
}

async function isFree(port: number): Promise<boolean> {
  try {
    await openPort(port)
    return true
  } catch {
    return false
  }
}

async function openPort(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : port
}

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { HostOverview } from '../host/overview.ts'
import type { LiveStatus } from './live-status.ts'
import { livePart, startPage } from './page.ts'

export interface PageServerOptions {
  readonly port: number
  readonly overview: HostOverview
  readonly status: () => Promise<LiveStatus>
}

/** The page may use what it brings along and nothing else; no other page may frame it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

const assets: Readonly<Record<string, string>> = {
  '/page.css': 'text/css; charset=utf-8',
  '/page.js': 'text/javascript; charset=utf-8',
  '/icon.svg': 'image/svg+xml',
}

export interface PageServer extends AsyncDisposable {
  readonly port: number
}

/** Serves the start page on this machine only. Rejects with the system's error where it cannot. */
export async function servePage(options: PageServerOptions): Promise<PageServer> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    respond(request, response, options).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  }
  const { port, servers } = await listen(options.port, answer)
  return {
    port,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map(close))
    },
  }
}

async function respond(
  { method = 'GET', url = '/' }: IncomingMessage,
  response: ServerResponse,
  { overview, status }: PageServerOptions,
): Promise<void> {
  const [path = '/'] = url.split('?')
  const contentType = Object.hasOwn(assets, path) ? assets[path] : undefined
  if (method !== 'GET' && method !== 'HEAD') {
    send(response, { status: 405, type: 'text/plain', body: 'GET only\n' })
  } else if (path === '/') {
    const body = startPage(overview, await status())
    send(response, { status: 200, type: 'text/html; charset=utf-8', body })
  } else if (path === '/live') {
    const body = livePart(overview, await status()).text
    send(response, { status: 200, type: 'text/html; charset=utf-8', body })
  } else if (contentType !== undefined) {
    const body = readFileSync(new URL(`.${path}`, import.meta.url), 'utf8')
    send(response, { status: 200, type: contentType, body })
  } else {
    send(response, { status: 404, type: 'text/plain', body: 'not here; the page is at /\n' })
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** On both loopback addresses, because `localhost` may mean either; IPv6 may be missing. */
async function listen(wanted: number, answer: RequestListener) {
  const first = await listenOn('127.0.0.1', wanted, answer)
  const address = first.address()
  const port = typeof address === 'object' && address !== null ? address.port : wanted
  try {
    return { port, servers: [first, await listenOn('::1', port, answer)] }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL') {
      return { port, servers: [first] }
    }
    await close(first)
    throw error
  }
}

async function listenOn(host: string, port: number, answer: RequestListener): Promise<Server> {
  const server = createServer(answer)
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

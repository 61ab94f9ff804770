import type { FastifyInstance } from 'fastify'
import { curlLine, type RouteNote } from './route-list.ts'

/** `GET /`: what the service answers to, with lines to paste; HTML for browsers, else JSON. */
export function serveFrontPage(
  http: FastifyInstance,
  name: string,
  routes: readonly RouteNote[],
): void {
  http.get('/', { config: { about: 'This list' } }, async (request, reply) => {
    const origin = `${request.protocol}://${request.host}`
    const endpoints = routes.map((route) => ({
      method: route.method,
      path: route.path,
      about: route.about,
      curl: curlLine(origin, route),
    }))
    if (!request.headers.accept?.includes('text/html')) return { service: name, endpoints }
    return reply.type('text/html').send(page(name, endpoints))
  })
}

interface Endpoint {
  readonly method: string
  readonly path: string
  readonly about: string
  readonly curl: string
}

function page(name: string, endpoints: readonly Endpoint[]): string {
  const rows = endpoints.map(
    ({ method, path, about, curl }) => `
      <section>
        <h2><b>${escaped(method)}</b> ${link(method, path)}</h2>
        <p>${escaped(about)}</p>
        <pre>${escaped(curl)}</pre>
      </section>`,
  )
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(name)}</title>
    <link rel="icon" href="data:,">
    <style>
      :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
      body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
      section { border-top: 1px solid #8884; padding: 0.5rem 0; }
      h2 { font-size: 1rem; margin: 0; }
      p { margin: 0; opacity: 0.75; }
      pre { margin: 0.25rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
    </style>
  </head>
  <body>
    <h1>${escaped(name)}</h1>${rows.join('')}
  </body>
</html>
`
}

/** What a browser can open is a link. */
function link(method: string, path: string): string {
  const isOpenable = method === 'GET' && !path.includes(':')
  return isOpenable ? `<a href="${escaped(path)}">${escaped(path)}</a>` : escaped(path)
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

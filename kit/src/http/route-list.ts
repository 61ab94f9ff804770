import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** One sentence for the front page. */
    readonly about?: string
    /** A path that its curl line has in place of one with parameters: `/tasks/1`. */
    readonly examplePath?: string
    /** A body to paste, for the front page's curl line. */
    readonly example?: unknown
    /** Whether the curl line carries `Authorization: Bearer $TOKEN`. */
    readonly needsToken?: boolean
  }
}

/** A route as a newcomer reads it. */
export interface RouteNote {
  readonly method: string
  readonly path: string
  readonly about: string
  readonly examplePath: string
  readonly example: unknown
  readonly needsToken: boolean
}

/** Collects the routes that are added from now on. */
export function listRoutes(http: FastifyInstance): readonly RouteNote[] {
  const routes: RouteNote[] = []
  http.addHook('onRoute', ({ method, url, config }) => {
    for (const verb of [method].flat()) {
      if (verb === 'HEAD') continue // Fastify adds one to each GET.
      routes.push({
        method: verb,
        path: url,
        about: config?.about ?? '',
        examplePath: config?.examplePath ?? url,
        example: config?.example,
        needsToken: config?.needsToken ?? false,
      })
    }
  })
  return routes
}

/** The methods of the routes that a path would match, whatever its parameters are. */
export function methodsOf(routes: readonly RouteNote[], path: string): readonly string[] {
  const steps = path.split('/')
  return routes.filter((route) => matches(route.path.split('/'), steps)).map(({ method }) => method)
}

/** A line to paste into a terminal. */
export function curlLine(origin: string, route: RouteNote): string {
  const { method, examplePath, example, needsToken } = route
  const parts = ['curl', ...(method === 'GET' ? [] : ['-X', method]), `${origin}${examplePath}`]
  if (needsToken) parts.push('-H "Authorization: Bearer $TOKEN"')
  if (example !== undefined) {
    const body = JSON.stringify(example).replaceAll("'", String.raw`'\''`)
    parts.push('-H "Content-Type: application/json"', `-d '${body}'`)
  }
  return parts.join(' ')
}

function matches(pattern: readonly string[], steps: readonly string[]): boolean {
  return (
    pattern.length === steps.length &&
    pattern.every((step, index) => step.startsWith(':') || step === steps[index])
  )
}

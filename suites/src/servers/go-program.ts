import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './cache-folder.ts'
import { isOnPath } from './debian-packages.ts'
import { withProgress } from './progress.ts'
import { runChecked } from './run-command.ts'

/** Builds a Go program from its folder into the cache, and gives the path of the program. */
export async function buildGoProgram(name: string, sources: string): Promise<string> {
  const go = findGo()
  const program = join(cacheFolder(name), name)
  await withProgress(`Building ${name} with Go`, () =>
    // The first build fetches the modules that go.sum names.
    runChecked(go, ['build', '-o', program, '.'], { folder: sources, timeoutMs: 300_000 }),
  )
  return program
}

/** Go's own installer leaves the path to the user, and a service or a CI job often has none. */
function findGo(): string {
  if (isOnPath('go')) return 'go'
  const places = ['/usr/local/go/bin/go', '/usr/lib/go/bin/go', '/opt/homebrew/bin/go']
  const found = places.find((place) => existsSync(place))
  if (found !== undefined) return found
  throw new Error('go not found: install Go 1.23 or later (https://go.dev/dl) and run again')
}

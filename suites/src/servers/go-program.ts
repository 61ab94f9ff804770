import { join } from 'node:path'
import { cacheFolder } from './cache-folder.ts'
import { isOnPath } from './debian-packages.ts'
import { withProgress } from './progress.ts'
import { runChecked } from './run-command.ts'

/** Builds a Go program from its folder into the cache, and gives the path of the program. */
export async function buildGoProgram(name: string, sources: string): Promise<string> {
  if (!isOnPath('go')) {
    throw new Error('go not found: install Go 1.23 or later (https://go.dev/dl) and run again')
  }
  const program = join(cacheFolder(name), name)
  await withProgress(`Building ${name} with Go`, () =>
    // The first build fetches the modules that go.sum names.
    runChecked('go', ['build', '-o', program, '.'], { folder: sources, timeoutMs: 300_000 }),
  )
  return program
}

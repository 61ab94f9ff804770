import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The root of this repository. */
export const repositoryRoot = resolve(import.meta.dirname, '../../..')

/** A folder for what is brought from outside, kept between runs, and ignored by git. */
export function cacheFolder(name: string): string {
  const folder = join(repositoryRoot, '.cache', name)
  mkdirSync(folder, { recursive: true })
  return folder
}

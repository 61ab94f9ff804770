import { existsSync, readFileSync } from 'node:fs'
import { isObject } from '../catalogue/json-value.ts'

let known: string | undefined

/** The kit's own version, as its package says it. */
export function kitVersion(): string {
  known ??= readVersion()
  return known
}

function readVersion(): string {
  // In the repository it stands one level above the sources, in the package beside them.
  const places = ['../package.json', '../../package.json'].map(
    (path) => new URL(path, import.meta.url),
  )
  const place = places.find((url) => existsSync(url))
  const about: unknown = place === undefined ? null : JSON.parse(readFileSync(place, 'utf8'))
  return isObject(about) ? String(about['version']) : 'unknown'
}

import { globSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { System } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'
import { nearest } from '../nearest.ts'

const systemFiles = 'systems/*/system.{ts,js,mjs}'

/**
 * Loads what `start` was asked for: a path to a file that exports `system`, the name of a
 * directory under `systems/`, or, where nothing is named, all of them, which may be none.
 * `systems/` is looked for in the current directory and upwards.
 * @throws CommandFailure when what is named is not there, or exports no system
 */
export async function findSystems(
  wanted: string | undefined,
  currentDirectory: string,
): Promise<readonly System[]> {
  if (wanted !== undefined && isPath(wanted)) {
    return [await loadSystem(resolve(currentDirectory, wanted))]
  }
  const files = systemFilesFrom(currentDirectory)
  if (wanted === undefined) return Promise.all([...files.values()].map(loadSystem))
  const file = files.get(wanted)
  if (file === undefined) throw new CommandFailure(unknownSystem(wanted, [...files.keys()]))
  return [await loadSystem(file)]
}

function isPath(wanted: string): boolean {
  return /[\\/]|\.[cm]?[jt]s$/.test(wanted)
}

/** The files by the name of their directory, from the nearest directory that has any. */
function systemFilesFrom(directory: string): ReadonlyMap<string, string> {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const found = globSync(systemFiles, { cwd: at }).sort()
    if (found.length > 0) {
      return new Map(found.map((file) => [nameOf(file), join(at, file)]))
    }
    if (dirname(at) === at) return new Map()
  }
}

function nameOf(file: string): string {
  return file.split(/[\\/]/)[1] ?? file
}

function unknownSystem(wanted: string, names: readonly string[]): string {
  const guess = nearest(wanted, names)
  const there = names.length === 0 ? 'there are none here' : `there is ${names.join(', ')}`
  return (
    `there is no system "${wanted}": ` +
    (guess === undefined ? there : `did you mean "${guess}"?`) +
    ' (a path such as ./my-system.ts also works)'
  )
}

async function loadSystem(file: string): Promise<System> {
  const exported = await importFile(file)
  if (!('system' in exported)) {
    throw new CommandFailure(
      `${file} exports no "system": export const system = defineSystem({ … })`,
    )
  }
  if (!isSystem(exported.system)) {
    throw new CommandFailure(`"system" of ${file} is no system: make it with defineSystem({ … })`)
  }
  return exported.system
}

async function importFile(file: string): Promise<object> {
  try {
    const exported: unknown = await import(pathToFileURL(file).href)
    return typeof exported === 'object' && exported !== null ? exported : {}
  } catch (error) {
    const own = pathToFileURL(file).href
    if (error instanceof Error && 'url' in error && error.url === own) {
      throw new CommandFailure(`there is no file ${file}`)
    }
    // A mistake in the user's own file: where it is, is what they need.
    throw new CommandFailure(`${file} cannot be loaded: ${withPlace(error)}`)
  }
}

/** The error with its place in the user's files: Node's frames and ours say nothing to them. */
function withPlace(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const lines = (error.stack ?? error.message).split('\n')
  const ours = lines.findIndex((line) => line.includes(import.meta.url))
  const theirs = ours === -1 ? lines : lines.slice(0, ours)
  return theirs.filter((line) => !/^\s+at .*\bnode:/.test(line)).join('\n')
}

function isSystem(value: unknown): value is System {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'services' in value &&
    Array.isArray(value.services) &&
    'development' in value &&
    Array.isArray(value.development)
  )
}

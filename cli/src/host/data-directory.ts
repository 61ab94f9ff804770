import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type InstanceLock, lockInstance } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'

/** Grows when an older program could not read what a newer one wrote. */
const formatNow = 1

const defaultDirectory = '.millrace'

/** Where a host keeps everything; all paths are absolute. */
export interface DataDirectory {
  readonly root: string
  /** The embedded broker's. */
  readonly broker: string
  /** A SQLite file a service. */
  readonly services: string
  readonly logFile: string
  readonly brokerLogFile: string
  /** Says that the directory is ours, and in which format. */
  readonly mark: string
}

/** The paths, before anything is looked at. */
export function dataDirectoryAt(
  wanted: string | undefined,
  currentDirectory: string,
): DataDirectory {
  const root = resolve(currentDirectory, wanted ?? defaultDirectory)
  return {
    root,
    broker: join(root, 'broker'),
    services: join(root, 'services'),
    logFile: join(root, 'logs', 'millrace.log'),
    brokerLogFile: join(root, 'logs', 'broker.log'),
    mark: join(root, 'millrace.json'),
  }
}

/**
 * Makes the directory if it is missing, and takes it for one host at a time.
 * @throws CommandFailure when another host has it, or it is not ours, damaged, newer, or cannot
 * be written
 */
export function claimDataDirectory(paths: DataDirectory, nowMs: number): InstanceLock {
  explained(paths.root, () => {
    mkdirSync(paths.root, { recursive: true })
    if (!existsSync(paths.mark)) {
      refuseForeign(paths.root)
      // Nobody wants a data directory in a commit.
      writeFileSync(join(paths.root, '.gitignore'), '*\n')
      writeFileSync(paths.mark, `${JSON.stringify({ format: formatNow })}\n`)
    }
  })
  checkFormat(paths)
  return lockHost(paths, nowMs)
}

/**
 * Removes what broker and services keep; the logs stay. Returns false where there was nothing.
 * @throws CommandFailure when a host or a service holds it, or the directory is not ours
 */
export function emptyDataDirectory(paths: DataDirectory, nowMs: number): boolean {
  if (!existsSync(paths.root)) return false
  if (!existsSync(paths.mark)) refuseForeign(paths.root)
  const locks: InstanceLock[] = []
  try {
    locks.push(lockHost(paths, nowMs))
    for (const file of databasesOf(paths)) locks.push(lockInstance(file, nowMs))
    const found = [paths.broker, paths.services].filter((directory) => existsSync(directory))
    explained(paths.root, () => {
      for (const directory of found) rmSync(directory, { recursive: true })
    })
    return found.length > 0
  } finally {
    for (const lock of locks) lock.release()
  }
}

/** The services' database files. */
export function databasesOf({ services }: DataDirectory): readonly string[] {
  if (!existsSync(services)) return []
  return readdirSync(services)
    .filter((name) => name.endsWith('.sqlite'))
    .map((name) => join(services, name))
}

function lockHost({ root }: DataDirectory, nowMs: number): InstanceLock {
  return lockInstance(
    join(root, 'host'),
    nowMs,
    (holder) =>
      `data directory ${root} is in use by ${holder}: stop that first (Ctrl-C where it runs), ` +
      'or give this one a directory of its own with --data, and ports with --port-offset',
  )
}

/** A directory that has other things in it was probably not meant. */
function refuseForeign(root: string): void {
  if (readdirSync(root).length === 0) return
  throw new CommandFailure(
    `${root} has files in it and is no data directory of millrace (no millrace.json): ` +
      'name another with --data',
  )
}

function checkFormat({ root, mark }: DataDirectory): void {
  const format = explained(root, () => formatIn(readFileSync(mark, 'utf8')))
  if (format === undefined) {
    throw new CommandFailure(
      `${mark} is damaged: restore it from a copy, or name another directory with --data`,
    )
  }
  if (format > formatNow) {
    throw new CommandFailure(
      `data directory ${root} was written by a newer millrace (format ${format}, this one reads ` +
        `${formatNow}): update millrace, or name another directory with --data`,
    )
  }
}

function formatIn(text: string): number | undefined {
  try {
    const mark: unknown = JSON.parse(text)
    if (typeof mark !== 'object' || mark === null || !('format' in mark)) return undefined
    return typeof mark.format === 'number' ? mark.format : undefined
  } catch {
    return undefined
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
}

/** Gives the system's errors words that say which directory, and what now. */
function explained<Result>(root: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const reason = reasons[code]
    if (reason === undefined) throw error
    throw new CommandFailure(
      `data directory ${root} cannot be used: ${reason}. Mend that, or name another with --data`,
    )
  }
}

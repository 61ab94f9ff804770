// The lock on a data directory: a file that names the process which holds it.
//
// A process is known by its id and, on Linux, by the moment at which it started, because ids are
// used again, in containers even at once. The file appears with its content in one step (a hard
// link), so that no reader ever sees half of it. Two processes in different containers or on
// different machines cannot see each other's ids: they must not share a data directory.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DiskError, type DiskLock } from './disk.ts'

/** A lock that vanishes between our looks so often is being fought over. */
const attemptsMax = 10

/**
 * Takes the lock in the file `location`; one that a dead process left is taken over.
 * @throws DiskError `locked` while a process that holds it is alive
 */
export function takeLock(location: string): DiskLock {
  const own = `${process.pid} ${startOf(process.pid)}\n`
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (claim(location, own)) return { release: () => release(location, own) }
    const holder = contentOf(location)
    if (holder === undefined) continue
    if (isAlive(holder)) {
      throw new DiskError('locked', heldMessage(location, Number.parseInt(holder, 10)))
    }
    removeStale(location, holder)
  }
  throw new DiskError('locked', `other processes keep taking and leaving the lock ${location}`)
}

/** Puts the lock file there with its content, unless there is one. */
function claim(location: string, own: string): boolean {
  const candidate = `${location}.${process.pid}`
  try {
    writeFileSync(candidate, own)
    linkSync(candidate, location)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(candidate, { force: true })
  }
}

function isAlive(holder: string): boolean {
  const [id, start] = holder.trim().split(' ')
  const pid = Number(id)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false
  }
  return startOf(pid) === (start ?? '')
}

/**
 * Moves a stale lock aside and removes it. If another process replaced it in this very moment,
 * what was moved is that process's lock, and it is put back.
 */
function removeStale(location: string, stale: string): void {
  const aside = `${location}.${process.pid}.stale`
  try {
    renameSync(location, aside)
    if (contentOf(aside) !== stale) linkSync(aside, location)
  } catch (error) {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function release(location: string, own: string): void {
  if (contentOf(location) === own) rmSync(location, { force: true })
}

/** When a process started, counted from a boot with a name of its own; empty where unknown. */
function startOf(pid: number): string {
  const status = contentOf(`/proc/${pid}/stat`)
  const boot = contentOf('/proc/sys/kernel/random/boot_id')
  if (status === undefined || boot === undefined) return ''
  // The second field is the program's name in parentheses and may hold spaces; the start is the
  // 22nd field, thus the 20th after it (proc_pid_stat(5)).
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return `${boot.trim()}:${fields[19] ?? ''}`
}

function contentOf(location: string): string | undefined {
  try {
    return readFileSync(location, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined
    throw error
  }
}

function heldMessage(location: string, pid: number): string {
  const holder = pid === process.pid ? 'this very process' : `process ${pid}`
  return (
    `the data directory ${dirname(location)} is in use by ${holder}: ` +
    'stop it, or choose another data directory'
  )
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { MillraceError } from '../errors.ts'
import { isBusy, storeError } from './store-error.ts'

/** Held from start to stop; the operating system takes it back when the process dies. */
export interface InstanceLock {
  /** Does nothing the second time. */
  release(): void
}

/**
 * Lets one process at a time use a database. The lock is SQLite's RESERVED lock on a small file
 * beside it: the operating system holds it for us, it ends with the process however that ends,
 * and others can still read there who holds it.
 *
 * Throws `store-locked` with the holder, in the words of `inUse`; `store-full`, `store-damaged` or
 * `store-failed` where the lock itself cannot be kept.
 */
export function lockInstance(
  file: string,
  nowMs: number,
  inUse: (holder: string) => string = serviceInUse(file),
): InstanceLock {
  const database = openLockFile(`${file}.lock`)
  try {
    database.exec('begin immediate')
    database.exec('create table if not exists holder (pid integer, host text, since text)')
    database.exec('delete from holder')
    database
      .prepare('insert into holder values (?, ?, ?)')
      .run(process.pid, hostname(), new Date(nowMs).toISOString())
    // The row becomes readable for others by this commit; whoever is quicker now, holds it.
    database.exec('commit')
    database.exec('begin immediate')
  } catch (error) {
    const holder = holderOf(database)
    database.close()
    if (!isBusy(error)) throw storeError(error, `${file}.lock`)
    throw new MillraceError('store-locked', inUse(holder), { cause: error, retriable: true })
  }
  return {
    release() {
      if (database.isOpen) database.close()
    },
  }
}

function openLockFile(lockFile: string): DatabaseSync {
  try {
    return new DatabaseSync(lockFile, { timeout: 0 })
  } catch (error) {
    throw storeError(error, lockFile)
  }
}

function serviceInUse(file: string): (holder: string) => string {
  return (holder) =>
    `${file} is in use by ${holder}; a service on SQLite has one instance. Stop the other, ` +
    'or give this one a directory of its own'
}

function holderOf(database: DatabaseSync): string {
  try {
    const row = database.prepare('select pid, host, since from holder').get()
    if (row === undefined) return 'another process'
    return `process ${String(row['pid'])} on ${String(row['host'])} (since ${String(row['since'])})`
  } catch {
    return 'another process'
  }
}

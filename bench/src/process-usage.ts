import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const kilobyte = 1024
const megabyte = 1024 * 1024

/** The kernel counts CPU time in ticks: a hundred a second nearly everywhere. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** User and system time that a process, with all of its threads, has taken so far. */
export function cpuSecondsOf(processId: number): number {
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  return (user + system) / ticksPerSecond
}

export interface MemoryUsage {
  /** In memory now, what it shares with other processes included. */
  readonly residentMegabytes: number
  /** Of that, what only this process has: its program file is not among it. */
  readonly privateMegabytes: number
}

export function memoryOf(processId: number): MemoryUsage {
  const rollup = readFileSync(`/proc/${processId}/smaps_rollup`, 'utf8')
  const bytesOf = (field: string) =>
    Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * kilobyte
  return {
    residentMegabytes: bytesOf('Rss') / megabyte,
    privateMegabytes: (bytesOf('Private_Clean') + bytesOf('Private_Dirty')) / megabyte,
  }
}

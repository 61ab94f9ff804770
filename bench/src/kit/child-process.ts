import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Sample } from '../samples.ts'

export interface ChildRun {
  /** A file beside this one. */
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Runs a subject in a process of its own; what it prints last is its samples as JSON. */
export async function samplesOf({ script, args, env }: ChildRun): Promise<readonly Sample[]> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last = ''
  for await (const line of createInterface({ input: child.stdout })) last = line
  if (child.exitCode === null) await once(child, 'exit')
  if (child.exitCode !== 0) throw new Error(`${script} ${args.join(' ')} failed`)
  const samples: unknown = JSON.parse(last)
  if (!Array.isArray(samples)) throw new Error(`${script} printed ${last}`)
  return samples.map(readSample)
}

/** For the child: prints them, and ends. */
export function tellSamples(samples: readonly Sample[]): never {
  process.stdout.write(`${JSON.stringify(samples)}\n`)
  process.exit()
}

function readSample(value: unknown): Sample {
  const { measure, unit, better, figure } = Object(value)
  if (typeof measure !== 'string' || typeof unit !== 'string' || typeof figure !== 'number') {
    throw new Error(`${JSON.stringify(value)} is no sample`)
  }
  return { measure, unit, better: better === 'less' ? 'less' : 'more', figure }
}

/** The value below which so much of them lies. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = Float64Array.from(figures).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

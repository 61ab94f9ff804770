import { printedAfter, printedBefore } from './limits.ts'

/** One thing that happened. */
export interface TraceLine {
  readonly step: number
  readonly nowMs: number
  /** Whose it was; null for the world's own. */
  readonly who: string | null
  readonly what: string
  /** Set where the schedule left the orderly way: these lines make the schedule. */
  readonly isDeviation: boolean
}

/** The story of one schedule. */
export class Trace {
  readonly #lines: TraceLine[] = []
  #hash = 0

  get lines(): readonly TraceLine[] {
    return this.#lines
  }

  /** Equal for equal stories. */
  get hash(): number {
    return this.#hash
  }

  add(line: TraceLine): void {
    this.#lines.push(line)
    const text = `${line.who ?? ''} ${line.what} ${line.nowMs}`
    for (let at = 0; at < text.length; at += 1) {
      this.#hash = (Math.imul(this.#hash, 31) + text.charCodeAt(at)) | 0
    }
  }
}

/** Numbered lines that a person reads. Long stretches in which all goes in order are left out. */
export function writeTrace(lines: readonly TraceLine[], startMs: number): string {
  const isShown = lines.map((_, at) => at >= lines.length - printedBefore)
  for (const [at, { isDeviation }] of lines.entries()) {
    if (isDeviation) isShown.fill(true, Math.max(0, at - printedBefore), at + printedAfter)
  }
  const written: string[] = []
  let left = 0
  for (const [at, line] of lines.entries()) {
    if (isShown[at] !== true) {
      left += 1
      continue
    }
    if (left > 0) written.push(`       … ${left} in order`)
    left = 0
    written.push(writeLine(line, startMs))
  }
  return written.join('\n')
}

function writeLine({ step, nowMs, who, what, isDeviation }: TraceLine, startMs: number): string {
  const seconds = ((nowMs - startMs) / 1_000).toFixed(3).padStart(9)
  const mark = isDeviation ? '!' : ' '
  return `${mark}${String(step).padStart(5)} ${seconds} s  ${who === null ? '' : `${who} `}${what}`
}

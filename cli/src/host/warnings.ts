import type { Clock } from '@millrace/kit'
import { warningRepeatMs, warningsRememberedMax } from '../limits.ts'
import { printableText } from '../output/printable.ts'

/** pino's number for a warning; errors have larger ones. */
const warnLevel = 40

/**
 * Turns log lines into what the terminal shows: warnings and errors, as a sentence that begins
 * with the part it comes from. What repeats is counted for a while, so that one dead server does
 * not fill the screen.
 *
 * W1. The first of equal warnings is shown at once.
 * W2. The next is shown at the earliest `warningRepeatMs` later, with the number of those between.
 */
export class Warnings {
  readonly #clock: Clock
  readonly #show: (line: string) => void
  readonly #seen = new Map<string, { shownAtMs: number; held: number }>()

  constructor(clock: Clock, show: (line: string) => void) {
    this.#clock = clock
    this.#show = show
  }

  /** Takes a line of the log. One that is no JSON is shown as it is. */
  write(line: string): void {
    const text = sentenceOf(line)
    if (text === undefined) return
    const nowMs = this.#clock.nowMs()
    const seen = this.#seen.get(text)
    if (seen && nowMs - seen.shownAtMs < warningRepeatMs) {
      seen.held += 1
      return
    }
    this.#remember(text, nowMs)
    const held = seen?.held ?? 0
    this.#show(held === 0 ? text : `${text} (and ${held} times before)`)
  }

  #remember(text: string, nowMs: number): void {
    this.#seen.delete(text)
    this.#seen.set(text, { shownAtMs: nowMs, held: 0 })
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > warningsRememberedMax && oldest !== undefined) this.#seen.delete(oldest)
  }
}

function sentenceOf(line: string): string | undefined {
  const entry = entryOf(line)
  if (entry === undefined) return line.trim() === '' ? undefined : printableText(line.trimEnd())
  const { level, msg, name, service, event, reason: given, err } = entry
  if (typeof level !== 'number' || level < warnLevel) return undefined
  const part = typeof service === 'string' ? service : typeof name === 'string' ? name : 'millrace'
  const reason = reasonOf(given) ?? reasonOf(err)
  const about = typeof event === 'string' ? ` (${event})` : ''
  const sentence = `${typeof msg === 'string' ? msg : 'something went wrong'}${about}`
  const because = reason === undefined || sentence.includes(reason) ? '' : `: ${reason}`
  return printableText(`${part}: ${sentence}${because}`)
}

type Field = 'level' | 'msg' | 'name' | 'service' | 'event' | 'reason' | 'err'
type Entry = Readonly<Record<Field, unknown>>

function entryOf(line: string): Partial<Entry> | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'object' && entry !== null ? { ...entry } : undefined
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string | undefined {
  if (typeof error === 'string') return error
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined
  return String(error.message)
}

import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { styleText } from 'node:util'

/**
 * Where a command's words go, and who it may ask. Results go to standard output, everything else
 * (notes, progress, questions, errors) to standard error, so that a pipe carries results only.
 */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly currentDirectory: string
  /** Somebody sits there and can answer. */
  readonly interactive: boolean
  /** Writes a result. Resolves when the reader has kept up; await it in a loop. */
  readonly print: (line: string) => Promise<void>
  /** Writes a line that is no result. */
  readonly note: (line: string) => void
  /** Writes over the last line that `progress` wrote; an empty text removes it. */
  readonly progress: (text: string) => void
  /** A question that is answered with yes or no; anything but a yes is a no. */
  readonly confirm: (question: string) => Promise<boolean>
  /** Emphasis on standard output, unless it is no terminal or NO_COLOR is set (no-color.org). */
  readonly emphasise: (style: Emphasis, text: string) => string
  /** Fires at Ctrl-C, SIGTERM, and when the reader of standard output has gone. */
  readonly interrupted: AbortSignal
}

/** The reason with which `interrupted` fires when whoever read standard output has gone. */
export const readerGone = 'reader-gone'

export type Emphasis = 'bold' | 'dim' | 'red' | 'yellow' | 'green'

export interface Streams {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean }
  readonly error: Writable & { readonly isTTY?: boolean }
}

export interface TerminalOptions extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly currentDirectory: string
  readonly interrupted: AbortSignal
}

export function openTerminal(options: TerminalOptions): Terminal {
  const { input, output, error, env, currentDirectory, interrupted } = options
  const showsEmphasis = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const tellsProgress = error.isTTY === true
  let shown = false
  const clear = () => {
    if (shown) error.write('\r\u001b[K')
    shown = false
  }
  return {
    env,
    currentDirectory,
    interrupted,
    interactive: input.isTTY === true && error.isTTY === true,
    async print(line) {
      clear()
      if (!output.write(`${line}\n`)) await once(output, 'drain', { signal: interrupted })
    },
    note(line) {
      clear()
      error.write(`${line}\n`)
    },
    progress(text) {
      if (!tellsProgress) return
      clear()
      if (text === '') return
      error.write(text)
      shown = true
    },
    async confirm(question) {
      clear()
      const lines = createInterface({ input, output: error })
      try {
        const answer = await lines.question(`${question} [y/N] `, { signal: interrupted })
        return /^y(es)?$/i.test(answer.trim())
      } finally {
        lines.close()
      }
    },
    emphasise: (style, text) =>
      showsEmphasis ? styleText(style, text, { validateStream: false }) : text,
  }
}

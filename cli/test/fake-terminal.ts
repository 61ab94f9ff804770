import type { Terminal } from '../src/output/terminal.ts'

export interface FakeTerminal extends Terminal {
  /** Lines on standard output. */
  readonly printed: string[]
  /** Lines on standard error. */
  readonly notes: string[]
  readonly questions: string[]
}

export interface FakeTerminalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly currentDirectory?: string
  /** What the user answers; without it there is nobody to ask. */
  readonly answer?: boolean
  readonly interrupted?: AbortSignal
}

/** A terminal that keeps what was said. */
export function fakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  const { env = {}, currentDirectory = process.cwd(), answer, interrupted } = options
  const printed: string[] = []
  const notes: string[] = []
  const questions: string[] = []
  return {
    env,
    currentDirectory,
    printed,
    notes,
    questions,
    interactive: answer !== undefined,
    interrupted: interrupted ?? new AbortController().signal,
    print: async (line) => void printed.push(line),
    note: (line) => void notes.push(line),
    progress() {},
    async confirm(question) {
      questions.push(question)
      return answer === true
    },
    emphasise: (_, text) => text,
  }
}

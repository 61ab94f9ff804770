/** Something that a user can do something about: its message says what, which, and what now. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}

/**
 * What to tell the user about anything that was thrown: the message of an operating error and
 * the issues that it lists, and only for a mistake of ours the stack, which we want to be sent.
 */
export function failureLines(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [`millrace: ${String(error)}`]
  if (isOperating(error)) {
    const [first = '', ...rest] = [...error.message.split('\n'), ...issuesOf(error)]
    return [`millrace: ${first}`, ...rest.map((line) => `  ${line}`)]
  }
  return [`millrace: this is a mistake in millrace, please report it: ${error.stack ?? error}`]
}

/**
 * The kit, the broker and the operating system mark their errors with a `code` in words; so does
 * Node its own programming errors (`ERR_…`), which are ours.
 */
export function isOperating(error: unknown): boolean {
  if (error instanceof CommandFailure) return true
  if (!(error instanceof Error)) return false
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_')
}

/** The issues that the message does not name already. */
function issuesOf(error: Error): readonly string[] {
  if (!('issues' in error) || !Array.isArray(error.issues)) return []
  return error.issues.filter((issue) => typeof issue === 'string' && !error.message.includes(issue))
}

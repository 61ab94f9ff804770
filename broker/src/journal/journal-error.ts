/**
 * `full`: no space, nothing was written. `failed`: the disk failed, and the journal takes no more.
 * `damaged`: what was durable is broken. `newer`: written by a newer version of the broker.
 */
export type JournalErrorCode = 'full' | 'failed' | 'damaged' | 'newer'

export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly code: JournalErrorCode
  readonly retriable: boolean

  constructor(code: JournalErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.retriable = code === 'full'
  }
}

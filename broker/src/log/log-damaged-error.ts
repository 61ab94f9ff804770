/** What was durable is gone or broken. The log is not opened, and nothing in it was changed. */
export class LogDamagedError extends Error {
  override readonly name = 'LogDamagedError'
  readonly code = 'damaged'
  readonly retriable = false

  /** `where` names the file, and the position in it if there is one; `what` says what is wrong. */
  constructor(where: string, what: string) {
    super(
      `${where}: ${what}; it was safely on the disk, so it is not cut away: restore it from a ` +
        "copy, or delete the partition's directory to begin it anew, empty",
    )
  }
}

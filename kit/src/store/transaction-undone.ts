/** Which of those that shared a transaction a scope was. */
export type UndoneBy =
  /** Its own error, or its own leaving, undid all of them. It may have been a neighbour's doing. */
  | 'itself'
  /** Another one's did. */
  | 'another'

/**
 * Nothing of a transaction that several handlers shared was committed. It is neither an attempt
 * nor a failure of those that throw it: the kit runs them again, and the one that caused it alone.
 */
export class TransactionUndone extends Error {
  override readonly name = 'TransactionUndone'
  readonly by: UndoneBy

  constructor(message: string, by: UndoneBy, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.by = by
  }
}

import type { Clock } from '@millrace/kit'
import { sessionCachedMs, sessionsCachedMax } from '../../limits.ts'
import type { AuthClient, SessionOutcome } from '../auth/client.ts'

/**
 * Who a token belongs to, as auth says, remembered for a short while.
 *
 * T1. A token that auth refused is never remembered; one that it confirmed, for at most
 *     `sessionCachedMs`. So long may an expired token still be good here.
 * T2. At most `sessionsCachedMax` tokens are remembered; the oldest goes first.
 */
export class Sessions {
  readonly #auth: Pick<AuthClient, 'readSession'>
  readonly #clock: Pick<Clock, 'nowMs'>
  /** Oldest first: a Map keeps the order in which its entries were set. */
  readonly #confirmed = new Map<string, { userId: number; untilMs: number }>()

  constructor(auth: Pick<AuthClient, 'readSession'>, clock: Pick<Clock, 'nowMs'>) {
    this.#auth = auth
    this.#clock = clock
  }

  async read(token: string): Promise<SessionOutcome> {
    const confirmed = this.#confirmed.get(token)
    if (confirmed && confirmed.untilMs > this.#clock.nowMs()) {
      return { kind: 'valid', userId: confirmed.userId }
    }
    const session = await this.#auth.readSession(token)
    this.#confirmed.delete(token)
    if (session.kind === 'valid') this.#remember(token, session.userId)
    return session
  }

  #remember(token: string, userId: number): void {
    this.#confirmed.set(token, { userId, untilMs: this.#clock.nowMs() + sessionCachedMs })
    const [oldest] = this.#confirmed.keys()
    if (this.#confirmed.size > sessionsCachedMax && oldest !== undefined) {
      this.#confirmed.delete(oldest)
    }
  }
}

import { hash, verify } from '@node-rs/argon2'
import {
  hashesAtOnceMax,
  hashesWaitingMax,
  passwordMemoryKib,
  passwordPasses,
} from '../../limits.ts'
import { Semaphore } from '../semaphore.ts'

const cost = { memoryCost: passwordMemoryKib, timeCost: passwordPasses, parallelism: 1 }

/**
 * Hashes and checks passwords with argon2id, on threads of its own.
 *
 * W1. A check takes as long for a user who does not exist as for one who does: it runs against
 *     a hash that no password fits. Time tells nobody which names are taken.
 * W2. Memory is bounded: so many hashes at once, and so many that wait; then `SemaphoreFull`.
 */
export class Passwords {
  readonly #turns = new Semaphore({ permits: hashesAtOnceMax, waitingMax: hashesWaitingMax })
  readonly #nobodysHash: string

  private constructor(nobodysHash: string) {
    this.#nobodysHash = nobodysHash
  }

  /** `unguessable` is a value that nobody can know: what a login of an unknown user is checked against. */
  static async open(unguessable: Uint8Array): Promise<Passwords> {
    return new Passwords(await hash(unguessable, cost))
  }

  /** The hash to store, with its salt and cost in it (PHC string format). */
  hash(password: string): Promise<string> {
    return this.#turns.run(() => hash(password, cost))
  }

  /** Whether `password` is the one that was stored; never, where nothing was (W1). */
  async check(password: string, stored: string | undefined): Promise<boolean> {
    const fits = await this.#turns.run(() => verify(stored ?? this.#nobodysHash, password))
    return fits && stored !== undefined
  }
}

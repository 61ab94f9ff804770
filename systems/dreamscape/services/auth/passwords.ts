import { hash, verify } from '@node-rs/argon2'
import { passwordMemoryKib, passwordPasses } from '../../limits.ts'

const cost = { memoryCost: passwordMemoryKib, timeCost: passwordPasses, parallelism: 1 }

/**
 * Hashes and checks passwords with argon2id, on libuv's threads: four at once.
 *
 * W1. A check takes as long for an account that does not exist as for one that does: it runs
 *     against a hash that no password fits. Time tells nobody which addresses are taken.
 */
export class Passwords {
  readonly #nobodysHash: string

  private constructor(nobodysHash: string) {
    this.#nobodysHash = nobodysHash
  }

  /** `unguessable` is a value that nobody can know. */
  static async open(unguessable: Uint8Array): Promise<Passwords> {
    return new Passwords(await hash(unguessable, cost))
  }

  /** The hash to store, with its salt and cost in it (PHC string format). */
  hash(password: string): Promise<string> {
    return hash(password, cost)
  }

  /** Whether `password` is the one that was stored; never, where nothing was (W1). */
  async check(password: string, stored: string | null): Promise<boolean> {
    const fits = await verify(stored ?? this.#nobodysHash, password)
    return fits && stored !== null
  }
}

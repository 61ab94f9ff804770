/** What a schedule showed to be wrong: a promise of the kit, or an invariant of the user's. */
export interface Violation {
  /** `P4`, or the name of an invariant. */
  readonly rule: string
  readonly message: string
}

/** Keeps the first violation: what follows from it says nothing new. */
export class Verdict {
  #violation: Violation | null = null

  get violation(): Violation | null {
    return this.#violation
  }

  violated(rule: string, message: string): void {
    this.#violation ??= { rule, message }
  }
}

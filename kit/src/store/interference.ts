import type { CompiledQuery } from 'kysely'
import { type Footprint, footprintOf, overlap } from './footprint.ts'

/** One whose queries stand among others' in one transaction. */
export type Interferer = object

interface Step {
  readonly by: Interferer
  readonly query: CompiledQuery
  footprint: Footprint | null
}

/**
 * Whether those that share a transaction could tell. In transactions of their own, what one has
 * changed or locked is hidden from the others, and theirs to wait for, until it ends; in a
 * shared one they go ahead. Nobody can tell as long as the one who was gone past does nothing
 * more: it is as if it had ended just before.
 *
 * N1. A member that has changed or locked rows goes on only if no other has touched them since.
 * N2. Footprints are compared only where that happens: a handler with one write costs nothing.
 *
 * What triggers and cascades touch is not seen.
 */
export class Interference {
  readonly #steps: Step[] = []
  /** Where each member's first change or lock stands among the steps. */
  readonly #firstMarks = new Map<Interferer, number>()

  /** Takes note of a query about to be sent. False where it must not be (N1). */
  admit(by: Interferer, query: CompiledQuery): boolean {
    const from = this.#firstMarks.get(by)
    if (from !== undefined && this.#isOvertaken(by, from)) return false
    const isMark = !isPlainRead(query)
    if (isMark && from === undefined) this.#firstMarks.set(by, this.#steps.length)
    this.#steps.push({ by, query, footprint: null })
    return true
  }

  #isOvertaken(by: Interferer, from: number): boolean {
    const marks: Footprint[] = []
    for (const step of this.#steps.slice(from)) {
      if (step.by === by) {
        if (!isPlainRead(step.query)) marks.push(footprintIn(step))
      } else if (marks.some((mark) => overlap(mark, footprintIn(step)))) return true
    }
    return false
  }
}

function footprintIn(step: Step): Footprint {
  step.footprint ??= footprintOf(step.query) // N2
  return step.footprint
}

/** A SELECT that locks nothing; one of raw SQL may be anything. */
function isPlainRead({ query }: CompiledQuery): boolean {
  return (
    query.kind === 'SelectQueryNode' && query.endModifiers === undefined && query.with === undefined
  )
}

// Redrives and discards dead letters, a stretch of them in one transaction.
//
// R1. Of each key the first letter is redriven, and those behind it follow it one by one (D2): what
//     is asked for in any order happens in the order of the key.
// R2. A job redrives a letter once, though it fails again before the job has come to those behind
//     it, and though the job goes on after a crash.
// R3. A letter that was redriven `alikeRedrivesMax` times in a row, and failed alike each time, is
//     redriven only where it is named, or by force.

import type { Transaction } from 'kysely'
import { recordForgone } from '../inbox/inbox.ts'
import { alikeRedrivesMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type DeadLetterTarget, isNamed } from './letter-query.ts'
import { headOf, type Letter, lockKeys, updateLetter } from './letters.ts'
import type { Parking } from './parking.ts'
import { failedAlike, reasonSignature } from './reason-signature.ts'

export interface LetterTools {
  readonly tools: DeliveryTools
  readonly parking: Parking
}

export interface RedriveOptions {
  readonly target: DeadLetterTarget
  /** Also letters that the guard would leave (R3). */
  readonly isForced: boolean
  /** The job that asks, null for none (R2). */
  readonly job: string | null
}

export interface CarriedOut {
  /** How many letters will be tried again, or were given up. */
  readonly letters: number
  /** How many the guard left as they are (R3). */
  readonly guarded: number
  /** To be called after the commit. */
  readonly after: () => void
}

type Verdict = 'redriven' | 'guarded' | 'gone'

/** Makes the head of each key due. */
export async function redriveLetters(
  db: Transaction<KitTables>,
  { tools, parking }: LetterTools,
  letters: readonly Letter[],
  options: RedriveOptions,
): Promise<CarriedOut> {
  await lockKeys(db, letters, tools.store.dialect) // D3
  const due: Letter[] = []
  const verdicts = new Map<string, Verdict>()
  const counts = { redriven: 0, guarded: 0, gone: 0 }
  for (const letter of letters) {
    const { stream, held_key: key } = letter
    const name = key === null ? letter.letter_id : JSON.stringify([stream, key])
    let verdict = verdicts.get(name)
    if (verdict === undefined) {
      const head = key === null ? letter : await headOf(db, stream, key) // R1
      verdict = head === null ? 'gone' : verdictOn(head, options)
      const isFresh = options.job === null || head?.redriven_by_job !== options.job // R2
      if (head !== null && verdict === 'redriven' && isFresh) {
        const change = redriven(head, options.job, tools.clock.nowMs())
        const updated = await updateLetter(db, head.id, change)
        if (updated !== null) due.push(updated)
      }
      verdicts.set(name, verdict)
    }
    counts[verdict] += 1
  }
  const announced = await parking.announce(db, due)
  return {
    letters: counts.redriven,
    guarded: counts.guarded,
    after: () => {
      announced()
      for (const letter of due) tools.observer.redriven?.(letter, tools.clock.nowMs())
    },
  }
}

/** R3 */
function verdictOn(head: Letter, { target, isForced, job }: RedriveOptions): Verdict {
  if (isForced || isNamed(target) || isOnItsWay(head)) return 'redriven'
  if (job !== null && head.redriven_by_job === job) return 'redriven'
  return failedAlike(head) >= alikeRedrivesMax ? 'guarded' : 'redriven'
}

/** It is tried again as it is: what failed before was counted then. */
function isOnItsWay({ state }: Letter): boolean {
  return state === 'waiting'
}

function redriven(head: Letter, job: string | null, nowMs: number) {
  const change = { state: 'waiting', due_at_ms: nowMs, attempts: 0, redriven_by_job: job } as const
  if (isOnItsWay(head)) return change
  return {
    ...change,
    redrives: head.redrives + 1,
    alike: failedAlike(head) + 1,
    redriven_signature: reasonSignature(head.reason),
  }
}

/**
 * Removes letters for good. Their events count as handled, so that a record that comes again
 * stays away.
 */
export async function discardLetters(
  db: Transaction<KitTables>,
  { tools, parking }: LetterTools,
  letters: readonly Letter[],
): Promise<CarriedOut> {
  await lockKeys(db, letters, tools.store.dialect) // D3
  const afterwards: (() => void)[] = []
  await recordForgone(
    db,
    letters.map((letter) => ({
      event_id: letter.event_id,
      subscription: letter.subscription,
      handled_at_ms: tools.clock.nowMs(),
      topic_id: letter.topic_id,
      partition: letter.partition,
      record_offset: letter.record_offset,
    })),
  )
  for (const letter of letters) afterwards.push(await parking.remove(db, letter))
  return {
    letters: letters.length,
    guarded: 0,
    after: () => {
      for (const act of afterwards) act()
      for (const letter of letters) tools.observer.discarded?.(letter, tools.clock.nowMs())
    },
  }
}

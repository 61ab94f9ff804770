import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'

/** Lets the event loop turn until `condition` holds. No time passes on a manual clock. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (condition()) return
    await setImmediate()
  }
  assert.fail(`it never came about that ${what}`)
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) await setImmediate()
}

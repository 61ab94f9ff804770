import type { CommandOutcome, Order } from '../src/control/command.ts'
import { CommandClient } from '../src/control/command-client.ts'
import type { ManualClock } from '../src/manual-clock.ts'
import type { Transport } from '../src/transport/transport.ts'
import { settle } from './turns.ts'

export interface Asking {
  readonly transport: Transport
  readonly clock: ManualClock
  /** Default: `worker`. */
  readonly service?: string
}

/** Asks a service for something, moves time until it has ended, and gives all that was answered. */
export async function asks({ transport, clock, service = 'worker' }: Asking, order: Order) {
  const client = new CommandClient({ transport, clock, random: Math.random, askedBy: 'ann@desk' })
  const told: CommandOutcome[] = []
  let job = ''
  const asked = client.ask(
    { ...order, service, waitMs: 10_000 },
    {
      told: (outcome, id) => {
        job = id
        told.push(outcome)
      },
    },
  )
  const state = { isOver: false }
  const end = asked.finally(() => {
    state.isOver = true
  })
  return {
    told,
    get job() {
      return job
    },
    /** Moves time until the last answer is there. */
    async ended() {
      while (!state.isOver) {
        await settle()
        await clock.advance(100)
      }
      return await end
    },
    /** Moves time until it is so. */
    async until(isSo: () => boolean | Promise<boolean>) {
      for (let turn = 0; !(await isSo()); turn += 1) {
        if (turn > 1_000) throw new Error('it was never so')
        await settle()
        await clock.advance(100)
      }
    },
  }
}

/** As `asks`, where only the end matters. */
export async function asked(asking: Asking, order: Order) {
  return (await asks(asking, order)).ended()
}

import type { Random } from '@millrace/kit'
import type { Instances, OutboxCall, SlotWorker } from '@millrace/kit/inside'
import { allSlots } from '@millrace/kit/inside'
import type { Agenda } from './agenda.ts'
import { drawBelow } from './chance.ts'
import type { Life } from './life.ts'
import { slotsFreeMs } from './limits.ts'

/**
 * Which instance of one service does the work of which slot, as a database with session locks
 * keeps it.
 *
 * I1. A slot has one owner at most.
 * I2. A slot that moves is given up in steps: nothing is begun in it any more, what runs is waited
 *     for, then the next owner has it. The slots of an instance that dies are free a while later.
 */
export class SlotTable {
  readonly #agenda: Agenda
  readonly #random: Random
  readonly #members = new Set<SimulatedInstances>()
  readonly #owners = new Map<number, SimulatedInstances>()

  constructor(agenda: Agenda, random: Random) {
    this.#agenda = agenda
    this.#random = random
  }

  open(name: string, life: Life): SimulatedInstances {
    const instances = new SimulatedInstances({ table: this, name, life, agenda: this.#agenda })
    this.#members.add(instances)
    this.#dealSoon()
    return instances
  }

  /** The connection is gone, and with it the locks. */
  crash(life: Life): void {
    const gone = [...this.#members].filter((member) => member.life === life)
    for (const member of gone) this.#members.delete(member)
    this.#agenda.after(null, slotsFreeMs, {
      what: 'the slots of a dead instance are free',
      fire: () => {
        for (const member of gone) this.#release(member, allSlots)
      },
    })
  }

  leave(member: SimulatedInstances): void {
    this.#members.delete(member)
    this.#release(member, allSlots)
  }

  call(caller: SimulatedInstances, call: OutboxCall): void {
    for (const member of this.#members) if (member !== caller) member.hear(call)
  }

  isOwner(member: SimulatedInstances, slot: number): boolean {
    return this.#owners.get(slot) === member
  }

  #release(member: SimulatedInstances, slots: readonly number[]): void {
    for (const slot of slots) if (this.#owners.get(slot) === member) this.#owners.delete(slot)
    this.#dealSoon()
  }

  #dealSoon(): void {
    this.#agenda.add({ life: null, what: 'slots are dealt', perform: () => this.#deal() })
  }

  /** I2. */
  #deal(): void {
    const members = [...this.#members]
    const free = allSlots.filter((slot) => !this.#owners.has(slot))
    for (const slot of free) {
      const poor = members.filter((member) => member.owned().length === 0)
      const among = poor.length > 0 ? poor : members
      const member = among[drawBelow(this.#random, among.length)]
      if (member !== undefined) this.#owners.set(slot, member)
    }
    for (const member of members) {
      const gained = free.filter((slot) => this.#owners.get(slot) === member)
      if (gained.length > 0) member.gain(gained)
    }
    const isCrowded = members.length > 1 && members.some((member) => member.owned().length === 0)
    if (isCrowded) this.#move(members)
  }

  /** Somebody new has nothing: another gives up half of what it has. */
  #move(members: readonly SimulatedInstances[]): void {
    const rich = members.toSorted((a, b) => b.owned().length - a.owned().length)[0]
    const slots = rich?.owned().filter((_, at) => at % 2 === 1) ?? []
    if (rich === undefined || slots.length === 0) return
    rich.giveUp(slots, () => this.#release(rich, slots))
  }
}

interface SimulatedInstancesOptions {
  readonly table: SlotTable
  readonly name: string
  readonly life: Life
  readonly agenda: Agenda
}

/** One life's view of the instances of its service. */
export class SimulatedInstances implements Instances {
  readonly name: string
  readonly life: Life
  readonly #options: SimulatedInstancesOptions
  readonly #workers = new Set<SlotWorker>()
  readonly #leaving = new Set<number>()

  constructor(options: SimulatedInstancesOptions) {
    this.#options = options
    this.name = options.name
    this.life = options.life
  }

  onRenamed(): void {}

  owns(slot: number): boolean {
    return this.#options.table.isOwner(this, slot) && !this.#leaving.has(slot)
  }

  owned(): readonly number[] {
    return allSlots.filter((slot) => this.owns(slot))
  }

  join(worker: SlotWorker): () => void {
    this.#workers.add(worker)
    return () => this.#workers.delete(worker)
  }

  call(call: OutboxCall): void {
    this.#options.table.call(this, call)
  }

  async stop(): Promise<void> {
    const slots = this.owned()
    for (const slot of slots) this.#leaving.add(slot)
    await Promise.all([...this.#workers].map((worker) => worker.ended(slots)))
    this.#options.table.leave(this)
  }

  gain(slots: readonly number[]): void {
    this.#tell(`is given ${slots.length} slots`, (worker) => worker.gained(slots))
  }

  hear(call: OutboxCall): void {
    this.#tell(`is called: ${call.kind}`, (worker) => worker.called(call))
  }

  /** I2. `free` gives the slots to whoever is next. */
  giveUp(slots: readonly number[], free: () => void): void {
    const { agenda, life } = this.#options
    for (const slot of slots) this.#leaving.add(slot)
    const end = async (): Promise<void> => {
      await Promise.all([...this.#workers].map((worker) => worker.ended(slots)))
      for (const slot of slots) this.#leaving.delete(slot)
      free()
    }
    agenda.add({ life, what: `gives up ${slots.length} slots`, perform: () => void end() })
  }

  #tell(what: string, tell: (worker: SlotWorker) => void): void {
    const { agenda, life } = this.#options
    agenda.add({ life, what, perform: () => this.#workers.forEach(tell) })
  }
}

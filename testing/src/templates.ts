import {
  type AnyServiceDefinition,
  type KitTables,
  kitMigrations,
  type Migrations,
} from '@millrace/kit'
import { migrate } from '@millrace/kit/inside'
import { Agenda } from './agenda.ts'
import { DatabaseWriter } from './database-writer.ts'
import { Life } from './life.ts'
import { type KeptRows, MemoryDatabase } from './memory-database.ts'
import { createWitness } from './service-state.ts'
import { SimulatedStore } from './simulated-store.ts'

interface Template {
  readonly image: Uint8Array
  readonly kept: KeptRows | null
  /** Databases that a schedule has done with. */
  readonly spare: MemoryDatabase[]
}

/**
 * Databases with their migrations behind them, by service. Each schedule begins with one that
 * nobody has written to; where it can be, it is an older one that was emptied.
 */
export class Templates implements Disposable {
  readonly #templates = new Map<string, Template>()

  async take(service: AnyServiceDefinition): Promise<MemoryDatabase> {
    const template = this.#templates.get(service.name) ?? (await templateOf(service))
    this.#templates.set(service.name, template)
    const { image, kept, spare } = template
    const known = spare.pop()
    if (known === undefined || kept === null) return new MemoryDatabase(image)
    known.reset(kept)
    return known
  }

  giveBack(serviceName: string, database: MemoryDatabase): void {
    const { spare, kept } = this.#templates.get(serviceName) ?? {}
    if (spare === undefined || kept === null) database.close()
    else spare.push(database)
  }

  [Symbol.dispose](): void {
    for (const { spare } of this.#templates.values()) for (const database of spare) database.close()
  }
}

async function templateOf(service: AnyServiceDefinition): Promise<Template> {
  const image = await migratedImage(service)
  const database = new MemoryDatabase(image)
  return { image, kept: database.keep(), spare: [database] }
}

async function migratedImage({ name, migrations }: AnyServiceDefinition): Promise<Uint8Array> {
  const database = new MemoryDatabase(null)
  const agenda = new Agenda(0)
  const writer = new DatabaseWriter({ agenda, database, committed: () => {} })
  const store = new SimulatedStore({
    life: new Life(name),
    agenda,
    database,
    writer,
    isFine: false,
  })
  const migrating = migrateAll(store, name, migrations).then(() => null)
  for (;;) {
    const turn = new Promise<Agenda>((resolve) => setImmediate(() => resolve(agenda)))
    const waiting = await Promise.race([migrating, turn])
    if (waiting === null) break
    const [next] = waiting.ready()
    if (next === undefined) continue
    waiting.take(next)
    next.perform()
  }
  database.begin()
  database.run({ sql: createWitness, parameters: [] })
  database.commit()
  const image = database.image()
  database.close()
  return image
}

async function migrateAll(
  store: SimulatedStore,
  owner: string,
  migrations: Migrations<KitTables>,
): Promise<void> {
  const shared = { store, nowMs: 0, file: `the database of ${owner}` }
  await migrate({ ...shared, owner: 'millrace', migrations: kitMigrations })
  await migrate({ ...shared, owner, migrations })
}

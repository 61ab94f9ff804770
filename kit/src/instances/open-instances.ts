import type { Clock, Random } from '../clock.ts'
import type { Environment } from '../environment.ts'
import type { Log } from '../log.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { readPostgresUrl } from '../store/postgres-url.ts'
import type { Store } from '../store/store.ts'
import { type Instances, soleInstance } from './instances.ts'
import { SlotKeeper } from './slot-keeper.ts'

export interface OpenInstancesOptions {
  readonly store: Store<KitTables>
  readonly env: Environment
  /** The service, and so its schema. */
  readonly owner: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Takes a place among the instances on the service's store. Throws what connecting throws. */
export async function openInstances(options: OpenInstancesOptions): Promise<Instances> {
  const { store, env, owner, clock, random, log } = options
  const url = env['DATABASE_URL'] ?? ''
  if (store.dialect === 'sqlite' || url === '') return soleInstance
  return SlotKeeper.open({ place: readPostgresUrl(url), schema: owner, clock, random, log })
}

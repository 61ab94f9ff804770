import type { AnyServiceDefinition, Catalogue, System } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'
import { findSystems } from '../host/find-systems.ts'
import { nearest } from '../nearest.ts'
import type { Terminal } from '../output/terminal.ts'

/** A catalogue of a system, and the system's services that speak it. */
export interface FoundCatalogue {
  readonly system: System
  readonly catalogue: Catalogue
  readonly services: readonly AnyServiceDefinition[]
}

/**
 * The catalogue of a system; of several, the one that is named.
 * @throws CommandFailure where there is none, or none of that name, or several and no name
 */
export async function findCatalogue(
  wantedSystem: string,
  wantedName: string | undefined,
  { currentDirectory }: Pick<Terminal, 'currentDirectory'>,
): Promise<FoundCatalogue> {
  const [system] = await findSystems(wantedSystem, currentDirectory)
  if (system === undefined) throw new CommandFailure(`there is no system "${wantedSystem}"`)
  const services = system.services.map(({ service }) => service)
  const catalogues = new Map(services.map(({ catalogue }) => [catalogue.name, catalogue]))
  const catalogue = pick(catalogues, wantedName, system.name)
  return { system, catalogue, services: services.filter((one) => one.catalogue === catalogue) }
}

function pick(
  catalogues: ReadonlyMap<string, Catalogue>,
  wanted: string | undefined,
  system: string,
): Catalogue {
  const names = [...catalogues.keys()]
  const [only] = catalogues.values()
  if (only === undefined) throw new CommandFailure(`system "${system}" has no services`)
  if (wanted === undefined) {
    if (names.length === 1) return only
    const list = names.join(', ')
    throw new CommandFailure(`system "${system}" has several catalogues: name one of ${list}`)
  }
  const found = catalogues.get(wanted)
  if (found !== undefined) return found
  const guess = nearest(wanted, names)
  const now = guess === undefined ? `it has ${names.join(', ')}` : `did you mean "${guess}"?`
  throw new CommandFailure(`system "${system}" has no catalogue "${wanted}": ${now}`)
}

import type { Base } from '@platformatic/kafka'

/** A request of the client's in one of its versions. */
interface VersionedApi {
  readonly version: number
}

/** Of those that we speak, the highest version that the broker offers; `null` if none. */
export function highestCommon<Api extends VersionedApi>(
  offered: readonly OfferedApi[],
  name: string,
  spoken: readonly Api[],
): Api | null {
  const range = offered.find((api) => api.name === name)
  if (range === undefined) return null
  const { minVersion, maxVersion } = range
  const common = spoken.filter(({ version }) => version >= minVersion && version <= maxVersion)
  return common.sort((a, b) => b.version - a.version)[0] ?? null
}

export type OfferedApi = Awaited<ReturnType<Base['listApis']>>[number]

export function tooOld(name: string): Error {
  return new Error(`the broker knows no ${name} that we speak: it is older than Kafka 2.7`)
}

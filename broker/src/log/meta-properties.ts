// What identifies a data directory: `meta.properties`, in Kafka's form with one line of ours.

import { type Disk, ROOT } from '../disk/disk.ts'
import { readWhole, replaceWhole } from '../disk/whole-file.ts'

/** Raised when a broker of this version would misread what another one wrote, or the reverse. */
const dataFormat = 1

export class DataFormatError extends Error {
  override readonly name = 'DataFormatError'
  readonly code: 'newer' | 'foreign'
  readonly retriable = false

  constructor(code: 'newer' | 'foreign', message: string) {
    super(message)
    this.code = code
  }
}

const name = 'meta.properties'

/**
 * The cluster id of a data directory. An empty one becomes a data directory with the id given;
 * durable when it resolves.
 * @throws DataFormatError
 */
export async function openMetaProperties(disk: Disk, clusterId: string): Promise<string> {
  const content = readWhole(disk, ROOT, name)
  if (content !== undefined) {
    return readClusterId(disk.location(name), new TextDecoder().decode(content))
  }
  refuseForeign(disk)
  const text = `version=1\ncluster.id=${clusterId}\nmillrace.format=${dataFormat}\n`
  await replaceWhole(disk, { directory: ROOT, name }, new TextEncoder().encode(text))
  return clusterId
}

function readClusterId(location: string, text: string): string {
  const lines = text.split('\n').map((line) => line.trim().split('=', 2))
  const properties = new Map(lines.map(([key, value]) => [key, value]))
  const format = Number(properties.get('millrace.format'))
  if (format > dataFormat) {
    throw new DataFormatError(
      'newer',
      `${location}: the data has format ${format}, and this broker reads up to ${dataFormat}: ` +
        'use the newer broker that wrote it, or another data directory',
    )
  }
  const clusterId = properties.get('cluster.id')
  if (clusterId !== undefined && format >= 1) return clusterId
  throw new DataFormatError(
    'foreign',
    `${location} was not written by this broker: choose another data directory`,
  )
}

/** A directory that holds something else is not taken: a mistyped path is more likely. */
function refuseForeign(disk: Disk): void {
  const foreign = disk.list(ROOT)?.find((entry) => !isHarmless(entry))
  if (foreign === undefined) return
  throw new DataFormatError(
    'foreign',
    `${disk.location(ROOT)} is no data directory of this broker, and holds "${foreign}": ` +
      'choose an empty directory',
  )
}

/** Our lock, what a crash left of the first start, and what a fresh file system has. */
function isHarmless(entry: string): boolean {
  return entry.startsWith('.') || entry === `${name}.tmp` || entry === 'lost+found'
}

// Compares a changed service with the present one over what a Kafka holds: see `compareShadows`.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../clock.ts'
import type { Environment } from '../environment.ts'
import type { AnyServiceDefinition } from '../service.ts'
import { openSqlite } from '../store/sqlite.ts'
import type { Transport } from '../transport/transport.ts'
import { compareShadows, type ShadowComparison } from './compare-shadows.ts'
import { mergedRecords } from './merged-records.ts'
import type { ReplayPoint } from './replay.ts'
import { rangesOf } from './replay-range.ts'
import { ShadowService } from './shadow-service.ts'

export interface ShadowRequest {
  readonly present: AnyServiceDefinition
  readonly changed: AnyServiceDefinition
  readonly transport: Transport
  readonly env: Environment
  /**
   * A SQLite database of the service, of which both get a copy: what is there besides the events.
   * It may be in use, and is only read. Default: both begin with empty tables.
   */
  readonly database?: string
  /** Default: `start` and `end`. */
  readonly from?: ReplayPoint
  readonly to?: ReplayPoint
  /** Called after each event with how many there were. */
  readonly told?: (events: number) => void
}

/**
 * Runs both over the same events, each in a database of its own that is gone afterwards; effects
 * do not happen and nothing is said. Throws `replay-refused`, `kafka-unavailable`, and what opening
 * a database throws.
 */
export async function runShadow(request: ShadowRequest): Promise<ShadowComparison> {
  const { present, changed, transport, from = 'start', to = 'end' } = request
  const directory = mkdtempSync(join(tmpdir(), 'millrace-shadow-'))
  try {
    await using one = await openShadow(present, join(directory, 'present.sqlite'), request)
    await using other = await openShadow(changed, join(directory, 'changed.sqlite'), request)
    const topics = topicsOf([present, changed])
    const ranges = await rangesOf(transport, topics, { from, to })
    const records = mergedRecords(transport, ranges)
    return await compareShadows({ present: one, changed: other }, records, request.told)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function openShadow(
  service: AnyServiceDefinition,
  file: string,
  { database, env }: ShadowRequest,
): Promise<ShadowService> {
  if (database !== undefined) copyDatabase(database, file)
  const { migrations, name: owner } = service
  const store = await openSqlite({ file, owner, migrations, clock: systemClock })
  return ShadowService.open({ service, store, env })
}

/** As it is now, whoever writes to it meanwhile. */
function copyDatabase(from: string, to: string): void {
  const source = new DatabaseSync(from, { readOnly: true })
  try {
    source.prepare('vacuum into ?').run(to)
  } finally {
    source.close()
  }
}

/** What either of them hears. */
function topicsOf(services: readonly AnyServiceDefinition[]) {
  const heard = services.flatMap(({ catalogue, handlers }) => {
    const topics = new Set([...handlers.keys()].map((name) => catalogue.routes.get(name)?.topic))
    return catalogue.topics.filter(({ topic }) => topics.has(topic))
  })
  return [...new Map(heard.map((request) => [request.topic, request])).values()]
}

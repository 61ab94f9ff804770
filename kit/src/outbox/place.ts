import type { Insertable } from 'kysely'
import type { OutboxRow } from '../store/tables/outbox.ts'

/** A row that is to be written: its number comes with it, its partition from the relay. */
export type UnwrittenRow = Insertable<OutboxRow>

/** Where a row is to go; the partition is null as long as its topic was not met. */
export interface OutboxPlace {
  readonly topic: string
  readonly partition: number | null
}

/** Each place once. */
export function placesAmong(places: readonly OutboxPlace[]): readonly OutboxPlace[] {
  return [...new Map(places.map((place) => [`${place.topic}/${place.partition}`, place])).values()]
}

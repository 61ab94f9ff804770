import { type EventHeaders, writeHeaders } from '../catalogue/event-headers.ts'
import { isObject } from '../catalogue/json-value.ts'
import type { Clock, Random, Timer } from '../clock.ts'
import {
  relayBatchBytesMax,
  relayBatchRowsMax,
  relayRetryMsMax,
  relayRetryMsMin,
} from '../limits.ts'
import type { Log } from '../log.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { OutgoingRecord, Transport } from '../transport/transport.ts'
import { holdKey } from './holds.ts'
import type { Outbox } from './outbox.ts'
import { endOf, readTail } from './tail.ts'
import { type LanePlace, loadRows, markSent, positionOf, type UnsentRow } from './unsent.ts'

export interface LaneOptions {
  readonly place: LanePlace
  readonly clusterId: string
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The partition is free for its next rows. */
  readonly freed: () => void
  /** A send failed, so that the cluster may be another. */
  readonly doubted: () => void
}

/**
 * One partition's way to Kafka.
 *
 * L1. One send is in flight, or none.
 * L2. After an error nothing is sent before a pause, and not before the partition's tail was
 *     read: what an interrupted send left there is marked, not sent again.
 * L3. A row is marked only after Kafka acknowledged it, or the tail showed it.
 * L4. Of a refused batch the row that is to blame is found by halving; only its key is held.
 */
export class Lane {
  readonly place: LanePlace
  readonly #options: LaneOptions
  #isBusy = false
  #isTailKnown = false
  /** Events that the tail showed; a held one among them may come up much later. */
  #arrived: ReadonlySet<string> = new Set()
  #rowsMax = relayBatchRowsMax
  #failures = 0
  #pause: Timer | null = null

  constructor(options: LaneOptions) {
    this.place = options.place
    this.#options = options
  }

  /** Sending, or pausing after an error. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  get isSending(): boolean {
    return this.#isBusy && this.#pause === null
  }

  /** Takes as many of `rows` as one batch may have, and sends them. Never rejects. */
  async carry(rows: readonly UnsentRow[]): Promise<void> {
    this.#isBusy = true // L1
    try {
      const isFree = await this.#send(this.#batchOf(rows))
      if (isFree) this.#free()
      else this.#rest()
    } catch (error) {
      this.#rest()
      const { log, place } = this.#options
      log.warn({ ...place, err: error }, 'outbox rows are not sent yet')
    }
  }

  /** Ends a pause for good. A send that is in flight ends by itself. */
  stop(): void {
    this.#pause?.cancel()
  }

  /** L4, and: a row that was refused before is tried alone. */
  #batchOf(rows: readonly UnsentRow[]): readonly UnsentRow[] {
    let bytes = 0
    const end = rows.findIndex((row, index) => {
      bytes += row.size
      const isFull = index >= this.#rowsMax || bytes > relayBatchBytesMax
      const wasRefused = row.attempts !== null || rows[0]?.attempts !== null
      return index > 0 && (isFull || wasRefused)
    })
    return end === -1 ? rows : rows.slice(0, end)
  }

  /** Tells whether the partition may go on at once. */
  async #send(batch: readonly UnsentRow[]): Promise<boolean> {
    const { store, transport, place } = this.#options
    if (!this.#isTailKnown) await this.#learnTail(batch)
    const rows = batch.filter(({ event_id }) => !this.#arrived.has(event_id))
    if (rows.length === 0) return true
    const ids = rows.map(({ id }) => id)
    const records = (await loadRows(store.read, ids)).map(recordOf)
    const outcome = await transport.send(place, records)
    if (outcome.kind === 'unavailable') {
      this.#options.log.warn({ ...place, code: outcome.code }, outcome.message)
      return false
    }
    if (outcome.kind === 'refused') {
      await this.#refused(rows, outcome)
      return true
    }
    await this.#mark(ids, outcome.baseOffset + BigInt(ids.length))
    this.#rowsMax = Math.min(this.#rowsMax * 2, relayBatchRowsMax)
    this.#failures = 0
    return true
  }

  async #refused(
    rows: readonly UnsentRow[],
    { code, message }: { readonly code: string; readonly message: string },
  ): Promise<void> {
    const { store, clock, log, place, doubted } = this.#options
    const [row, ...others] = rows
    if (row === undefined) return
    if (others.length > 0) {
      this.#rowsMax = Math.ceil(rows.length / 2) // L4
      return
    }
    const nowMs = clock.nowMs()
    await store.transaction('hold an outbox key', (db) =>
      holdKey(db, { row, code, message, nowMs }),
    )
    log.error(
      { ...place, key: row.key, eventId: row.event_id, code },
      `Kafka refuses an event, and its key waits behind it: ${message}`,
    )
    doubted() // The topic may have been deleted; meeting the cluster again makes it again.
  }

  /** L2: marks what of the batch is on the topic already. */
  async #learnTail(batch: readonly UnsentRow[]): Promise<void> {
    const { store, transport, place, clusterId, service, log } = this.#options
    const position = await positionOf(store.read, clusterId, place)
    if (position === null) {
      // Known from now on, so that whatever interrupts the first send, its tail can be read.
      await this.#mark([], await endOf(transport, service.group, place))
    } else {
      const tail = await readTail(transport, place, { offset: position, source: service.name })
      this.#arrived = tail.eventIds
      const found = batch.filter(({ event_id }) => tail.eventIds.has(event_id))
      const isAllFound = found.length === tail.eventIds.size
      await this.#mark(
        found.map(({ id }) => id),
        isAllFound ? tail.nextOffset : position,
      )
      if (found.length > 0) {
        log.info({ ...place, events: found.length }, 'an interrupted send had arrived')
      }
    }
    this.#isTailKnown = true
  }

  async #mark(ids: readonly number[], nextOffset: bigint): Promise<void> {
    const { store, outbox, clock, clusterId, place } = this.#options
    await store.transaction('mark outbox rows as sent', (db) =>
      markSent(db, { ids, place, clusterId, nextOffset, nowMs: clock.nowMs() }),
    )
    outbox.sent(ids.length)
  }

  #free(): void {
    this.#isBusy = false
    this.#options.freed()
  }

  /** L2: full jitter between half and all of a step that doubles with each failure. */
  #rest(): void {
    const { clock, random, doubted } = this.#options
    this.#isTailKnown = false
    const stepMs = Math.min(relayRetryMsMin * 2 ** this.#failures, relayRetryMsMax)
    this.#failures += 1
    this.#pause = clock.after(stepMs * (0.5 + random() / 2), () => {
      this.#pause = null
      this.#free()
    })
    doubted()
  }
}

function recordOf(row: Awaited<ReturnType<typeof loadRows>>[number]): OutgoingRecord {
  const { key, value, headers, timestamp_ms } = row
  return {
    key: key === null ? null : new TextEncoder().encode(key),
    value,
    headers: writeHeaders(headersOf(headers)),
    timestampMs: timestamp_ms,
  }
}

function headersOf(json: string): EventHeaders {
  const parsed: unknown = JSON.parse(json)
  return isObject(parsed) ? parsed : {}
}

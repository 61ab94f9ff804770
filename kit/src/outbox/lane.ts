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
import type { Observer } from '../observe/observer.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type {
  OutgoingRecord,
  SendOutcome,
  TopicPartition,
  Transport,
} from '../transport/transport.ts'
import { holdKey } from './holds.ts'
import type { Outbox } from './outbox.ts'
import { endOf, readTail } from './tail.ts'
import { loadRows, markSent, positionOf, type UnsentRow, unsentRows } from './unsent.ts'

export interface LaneOptions {
  readonly place: TopicPartition
  readonly clusterId: string
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly observer: Observer
  /** Whether the cluster is still the one that the lane leads to. Asked before each send. */
  readonly isSameCluster: () => Promise<boolean>
  /** Whether the partition is still ours to send to. Asked once more, right before each send. */
  readonly isOurs: () => boolean
  /** The lane has come to rest: nothing is left to send, or a pause has begun. */
  readonly rested: () => void
  /** A send failed, so that the cluster may be another. */
  readonly doubted: () => void
}

type State =
  | { readonly kind: 'idle' }
  /** `isWoken`: somebody asked meanwhile, so that it looks once more before it rests. */
  | { readonly kind: 'sending'; isWoken: boolean }
  | { readonly kind: 'pausing'; readonly until: Timer }

/**
 * One partition's way to Kafka.
 *
 * L1. One send is in flight, or none.
 * L2. After an error nothing is sent before a pause, and not before the partition's tail was
 *     read: what an interrupted send left there is marked, not sent again.
 * L3. A row is marked only after Kafka acknowledged it, or the tail showed it.
 * L4. Nothing is begun for a partition that is not ours any more. What is acknowledged after that
 *     is marked, because it is true, and the position is left to who has the partition now.
 * L5. Of a refused batch the row that is to blame is found by halving; only its key is held.
 */
export class Lane {
  readonly #options: LaneOptions
  #state: State = { kind: 'idle' }
  /** Behind what is known of the partition; null where its tail must be read first (L2). */
  #position: bigint | null = null
  /** Events that the tail showed; some of them may come up much later. */
  #arrived: ReadonlySet<string> = new Set()
  #rowsMax = relayBatchRowsMax
  #failures = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get isSending(): boolean {
    return this.#state.kind === 'sending'
  }

  /** Looks for rows to send. In a pause it waits for its end. */
  wake(): void {
    if (this.#state.kind === 'sending') this.#state.isWoken = true
    if (this.#state.kind === 'idle') void this.#sendAll()
  }

  /** Reads the partition's tail before the next send: another may have sent to it meanwhile. */
  doubt(): void {
    this.#position = null
  }

  /** Ends a pause for good. A send that is in flight ends by itself. */
  stop(): void {
    if (this.#state.kind === 'pausing') this.#state.until.cancel()
  }

  async #sendAll(): Promise<void> {
    const sending = { kind: 'sending' as const, isWoken: true }
    this.#state = sending // L1
    try {
      while (sending.isWoken && this.#options.isOurs() && (await this.#options.isSameCluster())) {
        sending.isWoken = false
        const rows = await this.#nextRows()
        if (rows.length === 0) continue
        const outcome = await this.#send(rows)
        if (outcome === 'unavailable') return this.#pause()
        sending.isWoken = true
      }
      this.#state = { kind: 'idle' }
      this.#options.rested()
    } catch (error) {
      const { log, place } = this.#options
      log.warn({ ...place, err: error }, 'outbox rows are not sent yet')
      this.#pause()
    }
  }

  /** L5: as many as fit a batch; one that was refused before is tried alone. */
  async #nextRows(): Promise<readonly UnsentRow[]> {
    const { store, place, clock } = this.#options
    const limits = { nowMs: clock.nowMs(), rowsMax: this.#rowsMax }
    const rows = await unsentRows(store.read, place, limits)
    let bytes = 0
    const end = rows.findIndex(({ size, attempts }, index) => {
      bytes += size
      const wasRefused = attempts !== null || rows[0]?.attempts !== null
      return index > 0 && (bytes > relayBatchBytesMax || wasRefused)
    })
    return end === -1 ? rows : rows.slice(0, end)
  }

  async #send(batch: readonly UnsentRow[]): Promise<SendOutcome['kind'] | 'lost'> {
    const { store, transport, place, clock, log, observer } = this.#options
    this.#position ??= await this.#learnTail(batch)
    const arrived = batch.filter(({ event_id }) => this.#arrived.has(event_id))
    if (arrived.length > 0) {
      await this.#mark(arrived, this.#position)
      log.info({ ...place, events: arrived.length }, 'an interrupted send had arrived')
    }
    const rows = batch.filter((row) => !arrived.includes(row))
    if (rows.length === 0) return 'sent'
    const loaded = await loadRows(
      store.read,
      rows.map(({ id }) => id),
      store.dialect,
    )
    if (!this.#options.isOurs()) return 'lost' // L4
    const records = loaded.map(({ headers, ...row }) => ({ ...row, headers: headersOf(headers) }))
    const startedAtMs = clock.nowMs()
    const outcome = await transport.send(place, records.map(recordOf))
    observer.sent?.({
      place,
      records: records.map(({ headers, timestamp_ms }) => ({ headers, timestampMs: timestamp_ms })),
      outcome,
      startedAtMs,
      endedAtMs: clock.nowMs(),
    })
    if (outcome.kind === 'unavailable') {
      log.warn({ ...place, code: outcome.code }, outcome.message)
    } else if (outcome.kind === 'refused') {
      await this.#refused(rows, outcome)
    } else {
      await this.#mark(rows, outcome.baseOffset + BigInt(rows.length))
      this.#rowsMax = Math.min(this.#rowsMax * 2, relayBatchRowsMax)
      this.#failures = 0
    }
    return outcome.kind
  }

  async #refused(
    rows: readonly UnsentRow[],
    { code, message }: { readonly code: string; readonly message: string },
  ): Promise<void> {
    const { store, clock, log, place, doubted } = this.#options
    const [row, ...others] = rows
    if (row === undefined) return
    if (others.length > 0) {
      this.#rowsMax = Math.ceil(rows.length / 2) // L5
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

  /** L2: learns which events are on the topic already. Returns what is known of the partition. */
  async #learnTail(batch: readonly UnsentRow[]): Promise<bigint> {
    const { store, transport, place, clusterId, service } = this.#options
    const position = await positionOf(store.read, clusterId, place)
    if (position === null) {
      const end = await endOf(transport, service.group, place)
      // Known from now on, so that whatever interrupts the first send, its tail can be read.
      await this.#mark([], end)
      return end
    }
    const tail = await readTail(transport, place, { offset: position, source: service.source })
    this.#arrived = tail.eventIds
    const found = batch.filter(({ event_id }) => tail.eventIds.has(event_id))
    return found.length === tail.eventIds.size ? tail.nextOffset : position
  }

  async #mark(rows: readonly UnsentRow[], nextOffset: bigint): Promise<void> {
    const { store, outbox, clock, clusterId, place, isOurs } = this.#options
    const isKnown = isOurs() // L4
    await store.transaction('mark outbox rows as sent', (db) =>
      markSent(db, {
        rows,
        place,
        clusterId,
        nextOffset: isKnown ? nextOffset : null,
        nowMs: clock.nowMs(),
        dialect: store.dialect,
      }),
    )
    this.#position = isKnown ? nextOffset : null
    outbox.sent(rows.length)
  }

  /** L2: with jitter between half and all of a step that doubles with each failure. */
  #pause(): void {
    const { clock, random, doubted, rested } = this.#options
    this.#position = null
    const stepMs = Math.min(relayRetryMsMin * 2 ** this.#failures, relayRetryMsMax)
    this.#failures += 1
    const until = clock.after(stepMs * (0.5 + random() / 2), () => {
      this.#state = { kind: 'idle' }
      this.wake()
    })
    this.#state = { kind: 'pausing', until }
    doubted()
    rested()
  }
}

type LoadedRow = Awaited<ReturnType<typeof loadRows>>[number]

function recordOf(
  row: Omit<LoadedRow, 'headers'> & { readonly headers: EventHeaders },
): OutgoingRecord {
  const { key, value, headers, timestamp_ms } = row
  return {
    key: key === null ? null : new TextEncoder().encode(key),
    value,
    headers: writeHeaders(headers),
    timestampMs: timestamp_ms,
  }
}

function headersOf(json: string): EventHeaders {
  const parsed: unknown = JSON.parse(json)
  return isObject(parsed) ? parsed : {}
}

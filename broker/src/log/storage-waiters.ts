// Who waits for a record to be stored. Each is told once.

import { errors } from '@millrace/wire'

/** `written`: in the file, for acks=1. `durable`: on the device, for acks=all. */
export type StorageLevel = 'written' | 'durable'

export type StorageOutcome = { readonly kind: 'stored' } | StorageFailure

/** `errorCode` is Kafka's. */
export interface StorageFailure {
  readonly kind: 'failed'
  readonly errorCode: number
  readonly message: string
}

export type StorageCallback = (outcome: StorageOutcome) => void

interface Waiter {
  readonly offset: bigint
  readonly callback: StorageCallback
}

export class StorageWaiters {
  readonly #waiting: Record<StorageLevel, Waiter[]> = { written: [], durable: [] }

  wait(level: StorageLevel, waiter: Waiter): void {
    this.#waiting[level].push(waiter)
  }

  /** Everything below `end` is stored at that level. */
  stored(level: StorageLevel, end: bigint): void {
    this.#tell(level, (offset) => offset < end, { kind: 'stored' })
  }

  /** Nothing at or above `from` will be stored at that level. */
  failed(level: StorageLevel, from: bigint, outcome: StorageOutcome): void {
    this.#tell(level, (offset) => offset >= from, outcome)
  }

  #tell(level: StorageLevel, concerns: (offset: bigint) => boolean, outcome: StorageOutcome): void {
    const waiting = this.#waiting[level]
    if (waiting.length === 0) return
    const told = waiting.filter(({ offset }) => concerns(offset))
    this.#waiting[level] = waiting.filter(({ offset }) => !concerns(offset))
    for (const { callback } of told) callback(outcome)
  }
}

export function storageFailure(message: string): StorageFailure {
  return { kind: 'failed', errorCode: errors.kafkaStorageError.code, message }
}

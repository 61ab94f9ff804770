import { isObject } from '../catalogue/json-value.ts'
import type { Clock, Timer } from '../clock.ts'
import { callBytesMax, callEveryMs, callPlacesMax } from '../limits.ts'
import { type OutboxPlace, placesAmong } from '../outbox/place.ts'
import type { Call } from './instances.ts'

/** All calls of a short while in one. */
interface Collected {
  readonly places: readonly OutboxPlace[]
  /** Rows that go to places which are not all named. */
  readonly isAnywhere: boolean
  readonly isLetters: boolean
  readonly isOrders: boolean
}

const nothing: Collected = { places: [], isAnywhere: false, isLetters: false, isOrders: false }

/**
 * Calls to the other instances, collected, so that at most one message goes out in `callEveryMs`
 * however much is committed. The first goes out at once.
 */
export class Calls {
  readonly #clock: Clock
  readonly #send: (payload: string) => void
  #collected = nothing
  #timer: Timer | null = null

  constructor(clock: Clock, send: (payload: string) => void) {
    this.#clock = clock
    this.#send = send
  }

  add(call: Call): void {
    this.#collected = collect(this.#collected, call)
    if (this.#timer === null) this.#flush()
  }

  /** What was not sent yet is left to the others' sweeps. */
  stop(): void {
    this.#timer?.cancel()
  }

  #flush(): void {
    const collected = this.#collected
    this.#timer = null
    if (collected === nothing) return
    this.#collected = nothing
    this.#send(writeCalls(collected))
    this.#timer = this.#clock.after(callEveryMs, () => this.#flush())
  }
}

function collect(collected: Collected, call: Call): Collected {
  if (call.kind === 'letters') return { ...collected, isLetters: true }
  if (call.kind === 'orders') return { ...collected, isOrders: true }
  const places = placesAmong([...collected.places, ...call.places])
  const isAnywhere =
    collected.isAnywhere || call.places.length === 0 || places.length > callPlacesMax
  return { ...collected, isAnywhere, places: isAnywhere ? [] : places }
}

/** Names may be so long that they do not fit: then they are left out. */
function writeCalls(collected: Collected): string {
  const payload = payloadOf(collected)
  if (Buffer.byteLength(payload) <= callBytesMax) return payload
  return payloadOf({ ...collected, isAnywhere: true, places: [] })
}

function payloadOf({ places, isAnywhere, isLetters, isOrders }: Collected): string {
  return JSON.stringify({
    ...(isAnywhere || places.length > 0
      ? { outbox: places.map(({ topic, partition }) => [topic, partition]) }
      : {}),
    ...(isLetters ? { letters: true } : {}),
    ...(isOrders ? { orders: true } : {}),
  })
}

/** Reads what another instance sent. What it cannot read of a newer one it leaves to the sweeps. */
export function readCalls(payload: string): readonly Call[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(payload)
  } catch {
    return []
  }
  if (!isObject(parsed)) return []
  const { outbox, letters, orders } = parsed
  return [
    ...(Array.isArray(outbox)
      ? [{ kind: 'outbox' as const, places: outbox.flatMap((place) => placeOf(place)) }]
      : []),
    ...(letters === true ? [{ kind: 'letters' as const }] : []),
    ...(orders === true ? [{ kind: 'orders' as const }] : []),
  ]
}

function placeOf(place: unknown): readonly OutboxPlace[] {
  if (!Array.isArray(place)) return []
  const [topic, partition]: readonly unknown[] = place
  if (typeof topic !== 'string') return []
  return [{ topic, partition: typeof partition === 'number' ? partition : null }]
}

export interface WindowLimits {
  readonly eventsMax: number
  readonly bytesMax: number
  /** Offsets between the lowest that is not done and the highest that was read. */
  readonly spanMax: number
}

/**
 * What of one partition is in memory: back-pressure by pausing it, so that neither a slow
 * handler nor a waiting key fills the memory.
 */
export class Window {
  readonly #limits: WindowLimits
  #events = 0
  #bytes = 0
  #isPaused = false

  constructor(limits: WindowLimits) {
    this.#limits = limits
  }

  get events(): number {
    return this.#events
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Says `pause` when a limit is met. `span` is what it is now. */
  enter(bytes: number, span: number): 'pause' | null {
    this.#events += 1
    this.#bytes += bytes
    const { eventsMax, bytesMax, spanMax } = this.#limits
    const hasRoom = this.#events < eventsMax && this.#bytes < bytesMax && span < spanMax
    if (this.#isPaused || hasRoom) return null
    this.#isPaused = true
    return 'pause'
  }

  /** Says `resume` at half of the limits, so that a full partition does not toggle per event. */
  leave(bytes: number, span: number): 'resume' | null {
    this.#events -= 1
    this.#bytes -= bytes
    const { eventsMax, bytesMax, spanMax } = this.#limits
    const isLow =
      this.#events * 2 <= eventsMax && this.#bytes * 2 <= bytesMax && span * 2 <= spanMax
    if (!this.#isPaused || !isLow) return null
    this.#isPaused = false
    return 'resume'
  }
}

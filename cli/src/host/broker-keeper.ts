import type { Clock, Timer } from '@millrace/kit'
import { brokerBackoffMsMax, brokerBackoffMsMin, brokerWellAfterMs } from '../limits.ts'

/** One life of the broker's process. */
export interface BrokerRun {
  /**
   * Resolves when its listeners are open; rejects with what to tell the user when they cannot, or
   * when the process ends before.
   */
  readonly ready: Promise<void>
  /** Resolves, with how it ended, when the process is gone. */
  readonly ended: Promise<string>
  /** Asks it to stop in order. */
  stop(): void
  /** Ends it where it stands. */
  kill(): void
}

export interface BrokerKeeperOptions {
  readonly launch: () => BrokerRun
  readonly clock: Clock
  /** Tells the user that it died, and that it is back. */
  readonly say: (line: string) => void
}

/**
 * Keeps the embedded broker running.
 *
 * B1. A broker that was never ready is not started again: its reason is the user's to mend.
 * B2. One that was ready and dies is started again, each time after twice the wait, up to a
 *     limit; one that ran well for a while starts from the first wait again.
 * B3. After `stop` nothing is started.
 */
export class BrokerKeeper {
  readonly #options: BrokerKeeperOptions
  readonly #ended: Promise<void>
  #run: BrokerRun
  #startedAtMs: number
  #failures = 0
  #pause: { readonly timer: Timer; readonly over: () => void } | undefined
  #isStopping = false

  /** Resolves when the broker is ready. */
  static async start(options: BrokerKeeperOptions): Promise<BrokerKeeper> {
    const run = options.launch()
    await run.ready // B1
    return new BrokerKeeper(options, run)
  }

  private constructor(options: BrokerKeeperOptions, run: BrokerRun) {
    this.#options = options
    this.#run = run
    this.#startedAtMs = options.clock.nowMs()
    this.#ended = this.#keep()
  }

  /** Resolves when the broker has stopped in order. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#run.stop()
    this.#pause?.timer.cancel()
    this.#pause?.over()
    await this.#ended
  }

  /** Ends it at once. */
  kill(): void {
    this.#isStopping = true
    this.#run.kill()
  }

  async #keep(): Promise<void> {
    for (;;) {
      const how = await this.#run.ended
      if (this.#isStopping) return
      if (!(await this.#waitForRestart(how))) return // B3
      this.#run = this.#options.launch()
      this.#startedAtMs = this.#options.clock.nowMs()
      const isReady = await this.#run.ready.then(
        () => true,
        // The next turn says how it ended.
        () => false,
      )
      if (isReady) this.#options.say('the broker runs again')
    }
  }

  /** Resolves with false when a stop interrupts it. */
  async #waitForRestart(how: string): Promise<boolean> {
    const { clock, say } = this.#options
    const wasWell = clock.nowMs() - this.#startedAtMs >= brokerWellAfterMs
    this.#failures = wasWell ? 0 : this.#failures + 1
    const delayMs = Math.min(
      brokerBackoffMsMin * 2 ** Math.max(0, this.#failures - 1),
      brokerBackoffMsMax,
    )
    say(
      `the broker ended (${how}); it is started again in ${delayMs / 1000} s. ` +
        'Services keep their events until then',
    )
    await new Promise<void>((resolve) => {
      this.#pause = { timer: clock.after(delayMs, resolve), over: resolve }
    })
    this.#pause = undefined
    return !this.#isStopping
  }
}

import type { Dreamscape, Name } from '@millrace/dreamscape/catalogue'
import {
  type BodyOf,
  type KafkaReport,
  kafkaReport,
  MillraceError,
  type RunningService,
  type ServiceDefinition,
  type StartOptions,
  startService,
  type TransactionContext,
} from '@millrace/kit'
import { type Domain, type Handlers, namedHandlers } from './handlers.ts'

/** Where the service keeps its rows and finds Kafka: see the kit's `startService`. */
export type KafkaServiceOptions = Partial<StartOptions>

export interface PublishedOptions {
  /** Any string. Default: that of the HTTP request or event that is worked on, else a new one. */
  readonly correlationId?: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

/**
 * The calls of DreamScape's shared package, on a service of the kit: what it says goes through
 * the outbox, what it hears through the inbox, and what its handlers cannot do is parked.
 *
 * K1. A handler hears from the moment at which both `initialize` and its `subscribeTo…` have
 *     resolved, whichever was called first. What was said before is not missed: its group reads on.
 * K2. The kit starts a service with all of its handlers, so a subscription that comes later starts
 *     it anew: it finishes what runs, commits, and goes on where it was. Those that are made
 *     together share one start.
 * K3. A start that fails rejects for everybody who waits for it, and leaves nothing running.
 */
export class KafkaService<Tables, Opened extends object> {
  readonly #options: StartOptions
  #definition: ServiceDefinition<Dreamscape, Tables, Opened>
  #running: RunningService<Dreamscape, Tables, Opened> | null = null
  #isWanted = false
  #isChanged = false
  #settling: Promise<void> | null = null

  constructor(
    definition: ServiceDefinition<Dreamscape, Tables, Opened>,
    options: KafkaServiceOptions = {},
  ) {
    this.#definition = definition
    this.#options = { directory: 'data', ...options }
  }

  /**
   * Starts the service. It does not wait for Kafka: what is published meanwhile is kept, and
   * `healthCheck` tells how it stands. Throws what `startService` throws.
   */
  initialize(): Promise<void> {
    if (this.#isWanted && this.#settling === null && this.#running !== null)
      return Promise.resolve()
    this.#isWanted = true
    return this.#settle()
  }

  /** Finishes what runs, sends what was said as far as Kafka takes it, and ends. */
  disconnect(): Promise<void> {
    this.#isWanted = false
    return this.#settle()
  }

  subscribeToUserEvents(handlers: Handlers<'user', Tables, Opened>): Promise<void> {
    return this.#subscribe('user', handlers)
  }

  subscribeToAuthEvents(handlers: Handlers<'auth', Tables, Opened>): Promise<void> {
    return this.#subscribe('auth', handlers)
  }

  subscribeToVoyageEvents(handlers: Handlers<'voyage', Tables, Opened>): Promise<void> {
    return this.#subscribe('voyage', handlers)
  }

  subscribeToPaymentEvents(handlers: Handlers<'payment', Tables, Opened>): Promise<void> {
    return this.#subscribe('payment', handlers)
  }

  subscribeToAiEvents(handlers: Handlers<'ai', Tables, Opened>): Promise<void> {
    return this.#subscribe('ai', handlers)
  }

  subscribeToNotificationEvents(handlers: Handlers<'notification', Tables, Opened>): Promise<void> {
    return this.#subscribe('notification', handlers)
  }

  subscribeToAnalyticsEvents(handlers: Handlers<'analytics', Tables, Opened>): Promise<void> {
    return this.#subscribe('analytics', handlers)
  }

  /**
   * Says an event, in a transaction of its own, and gives its id. Where it belongs to a change of
   * data, say it with that: `transaction(({ db, publish }) => …)`. Throws `event-invalid`, and
   * `service-stopped` before `initialize`.
   */
  async publish<N extends Name>(
    name: N,
    body: BodyOf<Dreamscape, N>,
    { correlationId, ...options }: PublishedOptions = {},
  ): Promise<string> {
    const { transaction } = await this.#started()
    const said = correlationId === undefined ? {} : { correlationId }
    return transaction(({ publish }) => publish(name, body, options), said)
  }

  /** The service's own transactions: what is changed and what is said of it, together (P1). */
  async transaction<Result>(
    work: (context: TransactionContext<Dreamscape, Tables>) => Promise<Result>,
  ): Promise<Result> {
    const { transaction } = await this.#started()
    return transaction(work)
  }

  /** What `/health/kafka` answers: status, groups with their lag, outbox, and why. */
  async healthCheck(): Promise<KafkaReport> {
    const { health } = await this.#started()
    return kafkaReport(await health())
  }

  async #subscribe(
    domain: Domain,
    handlers: Parameters<typeof namedHandlers<Tables, Opened>>[1],
  ): Promise<void> {
    for (const handler of namedHandlers<Tables, Opened>(domain, handlers)) {
      this.#definition = this.#definition.on(handler.name, (event, context) =>
        handler.handle(event, context),
      )
    }
    if (this.#isWanted) await this.#settle() // K1
  }

  /** Brings about what is wanted by now; those who call it meanwhile wait for the same (K2). */
  #settle(): Promise<void> {
    this.#isChanged = true
    this.#settling ??= this.#follow().finally(() => {
      this.#settling = null
    })
    return this.#settling
  }

  async #follow(): Promise<void> {
    while (this.#isChanged) {
      await Promise.resolve() // All that is called in this turn is one change.
      this.#isChanged = false
      const running = this.#running
      this.#running = null // K3
      await running?.stop()
      if (this.#isWanted) this.#running = await startService(this.#definition, this.#options)
    }
  }

  async #started(): Promise<RunningService<Dreamscape, Tables, Opened>> {
    await this.#settling
    if (this.#running !== null) return this.#running
    throw new MillraceError(
      'service-stopped',
      `${this.#definition.name} does not run: call initialize() first`,
    )
  }
}

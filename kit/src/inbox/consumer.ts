import type { Timer } from '../clock.ts'
import { commandsTopic, controlTopics } from '../control/control-topics.ts'
import { noParts, type OperableParts, Operations } from '../control/operations.ts'
import type { DeadLetters } from '../dead-letter/dead-letters.ts'
import { DueLetters } from '../dead-letter/due-letters.ts'
import { Parking } from '../dead-letter/parking.ts'
import { messageOf } from '../errors.ts'
import { type Instances, soleInstance } from '../instances/instances.ts'
import { commitEveryMs, drainMsMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { RetryTopics } from '../retry/retry-topics.ts'
import { timerSubscriptions } from '../state/hear-process.ts'
import { timerTopics } from '../state/timer-event.ts'
import {
  type AssignedPartition,
  type ConsumerListener,
  type Consumption,
  type IncomingRecord,
  partitionKey,
  type TopicPartition,
  type TopicTrouble,
  type Transport,
} from '../transport/transport.ts'
import type { ConsumerStatus } from './consumer-status.ts'
import { isAbandoned, isLost } from './delivery.ts'
import { Dispatcher } from './dispatcher.ts'
import { Fence, Fenced } from './fence.ts'
import { InboxRetention } from './inbox-retention.ts'
import { instanceIdOf } from './instance-id.ts'
import { revokeDrainMsMax } from './limits.ts'
import { EventsOnTheirWay, PartitionIntake } from './partition-intake.ts'
import { type Subscription, subscriptionsOf } from './subscription.ts'

/** A service's listening, from its start to its stop. */
export interface RunningConsumer {
  readonly deadLetters: DeadLetters
  readonly operations: Operations
  status(): ConsumerStatus
  /** Begins nothing more, lets what runs finish, commits, and ends. */
  stop(): Promise<void>
}

export interface ConsumerOptions extends DeliveryTools {
  /** The instances of the service. Default: this is the only one. */
  readonly instances?: Instances
  readonly transport: Transport
  /** What else can be asked for by command. Default: nothing. */
  readonly parts?: OperableParts
}

/** Starts to listen to all that the service has handlers for; it waits for Kafka by itself. */
export async function startConsumer(options: ConsumerOptions): Promise<RunningConsumer> {
  const { service, store, clock, random, instances = soleInstance } = options
  const instanceId = instances.name ?? (await instanceIdOf(store, service.group, { clock, random }))
  const consumer = new Consumer(options)
  await consumer.start(instanceId)
  return consumer
}

/**
 * Puts the parts together: partitions come in, their records become deliveries, what is done is
 * committed.
 *
 * P6, in three steps: when partitions leave us, nothing more of them is begun; what runs is
 * waited for; then the position is committed, while the partitions are still ours.
 */
class Consumer implements RunningConsumer, ConsumerListener {
  readonly operations: Operations
  readonly deadLetters: DeadLetters
  readonly #options: ConsumerOptions
  readonly #subscriptions: readonly Subscription[]
  readonly #fence: Fence
  readonly #parking: Parking
  readonly #due: DueLetters
  readonly #retryTopics: RetryTopics
  readonly #dispatcher: Dispatcher
  readonly #retention: InboxRetention
  readonly #onTheirWay = new EventsOnTheirWay()
  readonly #intakes = new Map<string, Intake>()
  #consumption: Consumption | null = null
  #commitTimer: Timer | null = null
  #trouble: string | null = null
  #troubles: readonly TopicTrouble[] = []
  #isStopping = false

  constructor(options: ConsumerOptions) {
    this.#options = options
    const tools = options
    const { instances = soleInstance, parts = noParts } = options
    // Letters of other slots are tried by other instances.
    const wake = (): void => {
      this.#due.wake()
      instances.call({ kind: 'letters' })
    }
    this.#fence = new Fence(tools.store, tools.service.group)
    const parking = new Parking(tools, this.#fence, wake)
    this.#parking = parking
    const { service } = options
    const subscriptions = [...subscriptionsOf(service), ...timerSubscriptions(service)]
    const given = { tools, parking, instances, subscriptions, parts, wake }
    this.operations = new Operations(given, () => this.#dispatcher.wake())
    this.deadLetters = this.operations.office
    this.#subscriptions = [...subscriptions, this.operations.subscription]
    this.#due = new DueLetters({
      tools,
      parking,
      subscriptions,
      instances,
      deliver: (delivery) => this.#dispatcher.add(delivery),
    })
    this.#retryTopics = new RetryTopics({
      transport: options.transport,
      group: service.group,
      clock: tools.clock,
      subscriptions,
      topics: service.catalogue.topics,
    })
    this.#dispatcher = new Dispatcher({
      tools,
      retryTopics: this.#retryTopics,
      parking,
      fence: this.#fence,
      subscriptions: this.#subscriptions,
      isPaused: (name) => this.operations.pauses.has(name),
      letterSettled: (letterId) => this.#due.settled(letterId),
      fenced: ({ record }) => this.#fenced(record),
    })
    this.#retention = new InboxRetention({
      store: tools.store,
      group: service.group,
      clock: tools.clock,
      log: tools.log,
      partitions: () =>
        [...this.#intakes.values()].map(({ intake: { partition }, committed }) => {
          return { partition, committed }
        }),
    })
  }

  async start(instanceId: string): Promise<void> {
    const { service, transport, log } = this.#options
    await this.#parking.load()
    await this.operations.start()
    this.#due.wake()
    // The transport remembers the request, and makes the topics as soon as Kafka answers.
    const retryTopics = this.#retryTopics.topics
    const own = [...service.catalogue.topics, ...timerTopics(service), ...retryTopics]
    transport.ensureTopics([...own, ...controlTopics]).then(
      (topics) => this.#retryTopics.learn(topics),
      (error: unknown) => {
        log.warn({ reason: messageOf(error) }, 'Kafka is away; the topics are made when it is back')
      },
    )
    this.#listen(instanceId)
    this.#options.instances?.onRenamed((name) => void this.#rename(name))
    this.#retention.start()
  }

  #listen(instanceId: string): void {
    const { service, transport } = this.#options
    this.#consumption = transport.consume({
      group: service.group,
      instanceId,
      topics: [...new Set([...this.#subscriptions, ...this.#retryTopics.topics].map(topicOf))],
      streams: new Map(this.#subscriptions.map(({ topic, stream }) => [topic, stream])),
      listener: this,
    })
  }

  /** Another instance bears our name, and so is given our partitions. */
  async #rename(name: string): Promise<void> {
    const { log } = this.#options
    log.warn({ name }, 'another instance has taken our name: we join the group under a new one')
    this.lost([...this.#intakes.values()].map(({ intake }) => intake.partition))
    try {
      await this.#consumption?.stop()
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the former place in the group was not given up')
    }
    if (!this.#isStopping) this.#listen(name)
  }

  status(): ConsumerStatus {
    return {
      partitions: [...this.#intakes.values()].map(({ intake: { partition } }) => {
        return { topic: partition.topic, partition: partition.partition }
      }),
      events: [...this.#intakes.values()].reduce((sum, { intake }) => sum + intake.size, 0),
      heldKeys: this.#parking.heldKeys,
      outages: this.#dispatcher
        .breakers()
        .flatMap(({ subscription, state }) =>
          state.kind !== 'open'
            ? []
            : [{ subscription, reason: state.reason, sinceMs: state.sinceMs }],
        ),
      overdue: this.#dispatcher.overdue(),
      paused: this.operations.pauses.list(),
      trouble: this.#trouble,
      topics: this.#troubles,
    }
  }

  async assigned(partitions: readonly AssignedPartition[]): Promise<void> {
    this.#trouble = null
    this.#options.log.info({ partitions: partitions.map(partitionKey) }, 'partitions are assigned')
    await this.#fence.claim(partitions)
    // Behind the claims, so that it knows what the last owners of the partitions put aside.
    await this.#parking.load()
    for (const partition of partitions) {
      const intake = this.#openIntake(partition)
      this.#intakes.set(partitionKey(partition), { intake, committed: partition.position })
    }
  }

  records(partition: TopicPartition, records: readonly IncomingRecord[]): void {
    this.#trouble = null
    this.#intakes.get(partitionKey(partition))?.intake.take(records)
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.#options.log.info({ partitions: partitions.map(partitionKey) }, 'partitions leave')
    const leaving = partitions.flatMap(
      (partition) => this.#intakes.get(partitionKey(partition)) ?? [],
    )
    const reason = 'its partition left before it was done'
    const abort = this.#options.clock.after(revokeDrainMsMax, () =>
      this.#dispatcher.abort(isAbandoned, reason),
    )
    await this.#drain(leaving)
    abort.cancel()
    for (const entry of leaving) {
      entry.intake.close()
      // The group may have waited no longer, and given us the same partition anew.
      const key = partitionKey(entry.intake.partition)
      if (this.#intakes.get(key) === entry) this.#intakes.delete(key)
    }
  }

  lost(partitions: readonly TopicPartition[]): void {
    const lost = partitions.flatMap((partition) => {
      const key = partitionKey(partition)
      const entry = this.#intakes.get(key)
      this.#intakes.delete(key)
      return entry === undefined ? [] : [entry.intake]
    })
    if (lost.length === 0) return
    const told = lost.map(({ partition }) => partitionKey(partition))
    this.#options.log.warn(
      { partitions: told },
      'partitions are lost: what runs of them is aborted',
    )
    for (const intake of lost) intake.lose()
    this.#dispatcher.drop(isAbandoned)
    this.#dispatcher.abort(isLost, 'its partition was lost before it was done')
  }

  /** Another has claimed it. If it is ours all the same, the group gives it to us again. */
  #fenced(place: TopicPartition): void {
    const partition = partitionKey(place)
    const entry = this.#intakes.get(partition)
    if (entry === undefined || entry.intake.isLeaving) return
    this.#options.log.warn({ partition }, 'a partition was claimed by another instance')
    entry.intake.leave()
    this.#dispatcher.drop(isAbandoned)
    this.#consumption?.restart(`${partition} was claimed by another instance`)
  }

  troubled(troubles: readonly TopicTrouble[]): void {
    const known = new Set(this.#troubles.map(({ message }) => message))
    this.#troubles = troubles
    for (const { topic, message } of troubles) {
      if (!known.has(message)) this.#options.log.error({ topic }, message)
    }
  }

  failed(error: Error): void {
    this.#trouble = error.message
    this.#options.log.warn({ reason: error.message }, 'Kafka is in trouble; trying again')
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#commitTimer?.cancel()
    this.#retention.stop()
    const leaving = [...this.#intakes.values()]
    this.#consumption?.pause(leaving.map(({ intake }) => intake.partition))
    await this.operations.stop()
    await this.#due.stop()
    this.#dispatcher.stop()
    const reason = 'the service stopped before it was done'
    const abort = this.#options.clock.after(drainMsMax, () =>
      this.#dispatcher.abort(() => true, reason),
    )
    await this.#drain(leaving)
    await this.#dispatcher.drained(() => true)
    abort.cancel()
    this.#dispatcher.close()
    for (const { intake } of leaving) intake.close()
    this.#commitTimer?.cancel()
    await this.#consumption?.stop()
  }

  /** Lets what runs finish, and commits how far that went. */
  async #drain(leaving: readonly Intake[]): Promise<void> {
    for (const { intake } of leaving) intake.leave()
    this.#dispatcher.drop(isAbandoned)
    await this.#dispatcher.drained(isAbandoned)
    await this.#commit()
  }

  #openIntake(partition: AssignedPartition): PartitionIntake {
    const { topic } = partition
    const subscription = this.#retryTopics.stepOf(topic)?.subscription
    const all = this.#subscriptions.filter((one) => one.topic === topic)
    const subscriptions = subscription === undefined ? all : [subscription]
    return new PartitionIntake({
      tools: this.#options,
      partition,
      subscriptions,
      ...(subscription === undefined ? {} : { originalTopic: subscription.topic }),
      room: () => this.#dispatcher.room(subscriptions),
      onTheirWay: this.#onTheirWay,
      deliver: (delivery) => this.#dispatcher.add(delivery),
      reject: (record, reason) => this.#reject(record, partition, reason),
      pause: () => this.#consumption?.pause([partition]),
      resume: () => this.#consumption?.resume([partition]),
      moved: () => this.#commitLater(),
    })
  }

  async #reject(record: IncomingRecord, origin: AssignedPartition, reason: string): Promise<void> {
    const { topic, partition, offset } = record
    const told = { topic, partition, offset: String(offset), reason }
    this.#options.log.warn(told, 'a record is no event of the catalogue')
    const { observer, clock } = this.#options
    observer.rejected?.(record, reason, clock.nowMs())
    // A bad command is every service's, and nobody's to keep.
    if (topic === commandsTopic) return
    try {
      await this.#parking.reject(record, origin, reason)
    } catch (error) {
      if (error instanceof Fenced) this.#fenced(record)
      throw error
    }
  }

  #commitLater(): void {
    this.#commitTimer ??= this.#options.clock.after(commitEveryMs, () => {
      this.#commitTimer = null
      this.#commit().catch((error: unknown) => {
        this.#options.log.error({ reason: messageOf(error) }, 'a commit failed')
      })
    })
  }

  async #commit(): Promise<void> {
    const ahead = [...this.#intakes.values()].filter(({ intake }) => intake.hasMoved)
    const positions = ahead.map(({ intake }) => intake.takeProgress())
    if (positions.length === 0 || this.#consumption === null) return
    const outcome = await this.#consumption.commit(positions)
    switch (outcome.kind) {
      case 'committed':
        for (const [index, entry] of ahead.entries()) {
          entry.committed = positions[index]?.offset ?? entry.committed
        }
        return
      case 'fenced':
        for (const { intake } of ahead) intake.returnProgress()
        return // the group has moved on, and will tell us
      case 'unavailable':
        for (const { intake } of ahead) intake.returnProgress()
        this.#commitLater()
        return
      default:
        outcome satisfies never
    }
  }
}

interface Intake {
  readonly intake: PartitionIntake
  committed: bigint
}

function topicOf({ topic }: { readonly topic: string }): string {
  return topic
}

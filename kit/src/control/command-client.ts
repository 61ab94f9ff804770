import { isObject } from '../catalogue/json-value.ts'
import { readRecord } from '../catalogue/read-record.ts'
import type { Clock, Random } from '../clock.ts'
import { answerPollMs, controlReadMax, jobSilentMs } from '../limits.ts'
import type { IncomingRecord, Transport } from '../transport/transport.ts'
import {
  type Command,
  type CommandAnswer,
  type CommandOutcome,
  commandAnswered,
  commandAsked,
  controlCatalogue,
  type Order,
} from './command.ts'
import { commandRecord } from './control-record.ts'
import { commandsTopic, controlTopics } from './control-topics.ts'
import { readAnswer, readCommand } from './read-command.ts'
import { newSealing } from './sealed.ts'

export interface CommandClientOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  /** Who asks, as `user@host`: it stands in the command and in the service's log. */
  readonly askedBy: string
}

export type Ask = Order & {
  /** The service that is asked. */
  readonly service: string
  /** How long to wait for the first answer; the command itself is void after it. */
  readonly waitMs: number
}

export type AskOutcome =
  | CommandOutcome
  /** Nobody answered in time: the service does not run, or cannot reach this Kafka. */
  | { readonly kind: 'unanswered' }
  /** It was begun, and nothing was heard of it for long: it goes on when its service does. */
  | { readonly kind: 'silent'; readonly done: number; readonly total: number }

/** A command of the last day, and what became of it. */
export interface AskedCommand {
  readonly id: string
  readonly command: Command
  readonly askedAt: string
  /** Null where nobody has answered. */
  readonly last: CommandOutcome | null
}

export interface AskWatch {
  /** Called for each answer but the last: `begun`, and how far it is. */
  readonly told?: (outcome: CommandOutcome, commandId: string) => void
  readonly signal?: AbortSignal
}

/** Asks services for things, from any process that reaches their Kafka. */
export class CommandClient {
  readonly #options: CommandClientOptions

  constructor(options: CommandClientOptions) {
    this.#options = options
  }

  /**
   * Sends a command and waits for how it ended; of what takes longer `told` hears how far it is.
   * Throws where Kafka does not take it, and the reason of `signal` where that ends the wait: the
   * command itself goes on.
   */
  async ask({ service, waitMs, ...order }: Ask, watch: AskWatch = {}): Promise<AskOutcome> {
    const { transport, clock, random, askedBy } = this.#options
    await transport.ensureTopics(controlTopics)
    const deadline = new Date(clock.nowMs() + waitMs).toISOString()
    const command: Command = { ...order, service, deadline, askedBy }
    const { id, record } = commandRecord(command, { source: askedBy, clock, random })
    const sent = await transport.send({ topic: commandsTopic, partition: 0 }, [record])
    if (sent.kind !== 'sent') throw new Error(`the command was not sent: ${sent.message}`)
    return this.#await({ id, from: sent.baseOffset + 1n, waitMs }, watch)
  }

  /** One dead letter whole, by a service's answer that nobody else can read. */
  async show(
    service: string,
    id: string,
    waitMs: number,
  ): Promise<Readonly<Record<string, unknown>> | Exclude<AskOutcome, { kind: 'done' }>> {
    const { sealFor, open } = newSealing()
    const outcome = await this.ask({ action: 'show', service, id, sealFor, waitMs })
    if (outcome.kind !== 'done') return outcome
    const text = open(outcome.report?.['sealed'])
    const whole: unknown = text === null ? null : JSON.parse(text)
    return isObject(whole)
      ? whole
      : { kind: 'refused', reason: 'the answer cannot be read: it was written for another' }
  }

  /** What was asked for in the last day, oldest first. */
  async asked(): Promise<readonly AskedCommand[]> {
    await this.#options.transport.ensureTopics(controlTopics)
    const found = new Map<string, AskedCommand>()
    await this.#read(0n, (record) => {
      if (record.kind === 'asked') {
        const { id, command, askedAt } = record
        found.set(id, { id, command, askedAt, last: null })
        return
      }
      const { commandId, outcome } = record.answer
      const known = found.get(commandId)
      if (known !== undefined) found.set(commandId, { ...known, last: outcome })
    })
    return [...found.values()]
  }

  async #await(
    { id, from, waitMs }: { readonly id: string; readonly from: bigint; readonly waitMs: number },
    { told, signal }: AskWatch,
  ): Promise<AskOutcome> {
    const { clock } = this.#options
    let last: CommandOutcome | null = null
    let untilMs = clock.nowMs() + waitMs
    for (let offset = from; ; ) {
      const ended: CommandOutcome[] = []
      offset = await this.#read(offset, (record) => {
        if (record.kind !== 'answer' || record.answer.commandId !== id) return
        const { outcome } = record.answer
        last = outcome
        untilMs = clock.nowMs() + jobSilentMs
        if (isLast(outcome)) ended.push(outcome)
        else told?.(outcome, id)
      })
      const [end] = ended
      if (end !== undefined) return end
      if (clock.nowMs() >= untilMs) return silentSince(last)
      signal?.throwIfAborted()
      const { promise, resolve } = Promise.withResolvers<void>()
      clock.after(answerPollMs, resolve)
      await promise
    }
  }

  /** Calls `take` for each record from an offset to the end. Returns where it ended. */
  async #read(from: bigint, take: (record: ControlRecord) => void): Promise<bigint> {
    let offset = from
    for (;;) {
      const at = { topic: commandsTopic, partition: 0 }
      const records = await this.#options.transport.readFrom(at, offset, controlReadMax)
      for (const record of records) {
        const read = await controlRecordOf(record)
        if (read !== null) take(read)
      }
      const last = records.at(-1)
      if (last !== undefined) offset = last.offset + 1n
      if (records.length < controlReadMax) return offset
    }
  }
}

function isLast({ kind }: CommandOutcome): boolean {
  return kind !== 'begun' && kind !== 'progress'
}

function silentSince(last: CommandOutcome | null): AskOutcome {
  if (last === null || !('total' in last)) return { kind: 'unanswered' }
  return { kind: 'silent', done: last.done, total: last.total }
}

type ControlRecord =
  | {
      readonly kind: 'asked'
      readonly id: string
      readonly command: Command
      readonly askedAt: string
    }
  | { readonly kind: 'answer'; readonly answer: CommandAnswer }

/** Null for what is neither: another program's, or a newer kit's. */
async function controlRecordOf(record: IncomingRecord): Promise<ControlRecord | null> {
  const read = await readRecord(controlCatalogue, record, { clusterId: '', topicId: '' })
  if (read.kind !== 'event') return null
  const { eventId: id, eventType, timestamp: askedAt, payload } = read.event
  if (eventType === commandAsked) {
    const command = readCommand(payload)
    return 'issue' in command ? null : { kind: 'asked', id, command: command.value, askedAt }
  }
  const answer = eventType === commandAnswered ? readAnswer(payload) : { issue: '' }
  return 'issue' in answer ? null : { kind: 'answer', answer: answer.value }
}

import { readRecord } from '../catalogue/read-record.ts'
import type { Clock, Random } from '../clock.ts'
import { type DeadLetter, readAnnouncement } from '../dead-letter/announcement.ts'
import type { DeadLetterTarget } from '../dead-letter/dead-letters.ts'
import { answerPollMs, controlReadMax } from '../limits.ts'
import type { Transport } from '../transport/transport.ts'
import { type CommandOutcome, controlCatalogue } from './command.ts'
import { commandRecord } from './control-record.ts'
import { commandsTopic, controlTopics, deadLettersTopic } from './control-topics.ts'

export interface DeadLetterClientOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  /** Who asks, as `user@host`: it stands in the command and in the service's log. */
  readonly askedBy: string
}

export interface Ask {
  /** The service that is asked. */
  readonly service: string
  readonly action: 'redrive' | 'discard'
  readonly target: DeadLetterTarget
  /** How long to wait for the answer; the command itself is void after it. */
  readonly waitMs: number
}

export type AskOutcome =
  | CommandOutcome
  /** Nobody answered in time: the service does not run, or cannot reach this Kafka. */
  | { readonly kind: 'unanswered' }

/**
 * Dead letters of all services of a cluster, from any process that reaches its Kafka: it needs
 * no door into a service, only the control topics.
 */
export class DeadLetterClient {
  readonly #options: DeadLetterClientOptions

  constructor(options: DeadLetterClientOptions) {
    this.#options = options
  }

  /** All that is put aside now, oldest first. Throws `kafka-unavailable`. */
  async list(): Promise<readonly DeadLetter[]> {
    const { transport } = this.#options
    await transport.ensureTopics(controlTopics)
    const letters = new Map<string, DeadLetter>()
    await this.#read(deadLettersTopic, 0n, async (record) => {
      const id = record.key === null ? '' : Buffer.from(record.key).toString()
      const letter = record.value === null ? null : readAnnouncement(record.value)
      if (letter === null) letters.delete(id)
      else letters.set(id, letter)
    })
    return [...letters.values()].sort((a, b) => (a.parkedAt < b.parkedAt ? -1 : 1))
  }

  /** Sends a command and waits for its outcome. Throws where Kafka does not take it. */
  async ask({ service, action, target, waitMs }: Ask): Promise<AskOutcome> {
    const { transport, clock, random, askedBy } = this.#options
    await transport.ensureTopics(controlTopics)
    const deadlineMs = clock.nowMs() + waitMs
    const deadline = new Date(deadlineMs).toISOString()
    const command = { service, action, target, deadline, askedBy }
    const { id, record } = commandRecord(command, { source: askedBy, clock, random })
    const sent = await transport.send({ topic: commandsTopic, partition: 0 }, [record])
    if (sent.kind !== 'sent') throw new Error(`the command was not sent: ${sent.message}`)
    let offset = sent.baseOffset + 1n
    for (;;) {
      const outcomes: CommandOutcome[] = []
      offset = await this.#read(commandsTopic, offset, async (answer) => {
        const found = await outcomeIn(answer, id)
        if (found !== null) outcomes.push(found)
      })
      const [outcome] = outcomes
      if (outcome !== undefined) return outcome
      if (clock.nowMs() >= deadlineMs) return { kind: 'unanswered' }
      const { promise, resolve } = Promise.withResolvers<void>()
      clock.after(answerPollMs, resolve)
      await promise
    }
  }

  /** Calls `take` for each record from an offset to the end. Returns where it ended. */
  async #read(topic: string, from: bigint, take: (record: Read) => Promise<void>): Promise<bigint> {
    let offset = from
    for (;;) {
      const at = { topic, partition: 0 }
      const records = await this.#options.transport.readFrom(at, offset, controlReadMax)
      for (const record of records) await take(record)
      const last = records.at(-1)
      if (last !== undefined) offset = last.offset + 1n
      if (records.length < controlReadMax) return offset
    }
  }
}

type Read = Awaited<ReturnType<Transport['readFrom']>>[number]

async function outcomeIn(record: Read, commandId: string): Promise<CommandOutcome | null> {
  const read = await readRecord(controlCatalogue, record, { clusterId: '', topicId: '' })
  if (read.kind !== 'event') return null
  const { payload } = read.event
  return isAnswerTo(payload, commandId) ? payload.outcome : null
}

function isAnswerTo(
  payload: unknown,
  commandId: string,
): payload is { readonly outcome: CommandOutcome } {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    'commandId' in payload &&
    payload.commandId === commandId &&
    'outcome' in payload
  )
}

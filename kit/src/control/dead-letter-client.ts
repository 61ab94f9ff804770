import { type DeadLetter, readAnnouncement } from '../dead-letter/announcement.ts'
import { controlReadMax } from '../limits.ts'
import {
  type Ask,
  type AskOutcome,
  type AskWatch,
  CommandClient,
  type CommandClientOptions,
} from './command-client.ts'
import { controlTopics, deadLettersTopic } from './control-topics.ts'

export type DeadLetterClientOptions = CommandClientOptions

/**
 * Dead letters of all services of a cluster, from any process that reaches its Kafka: it needs
 * no door into a service, only the control topics.
 */
export class DeadLetterClient {
  readonly #options: DeadLetterClientOptions
  readonly #commands: CommandClient

  constructor(options: DeadLetterClientOptions) {
    this.#options = options
    this.#commands = new CommandClient(options)
  }

  /** All that is put aside now, oldest first. Throws `kafka-unavailable`. */
  async list(): Promise<readonly DeadLetter[]> {
    const { transport } = this.#options
    await transport.ensureTopics(controlTopics)
    const letters = new Map<string, DeadLetter>()
    for (let offset = 0n; ; ) {
      const at = { topic: deadLettersTopic, partition: 0 }
      const records = await transport.readFrom(at, offset, controlReadMax)
      for (const { key, value } of records) {
        const id = key === null ? '' : Buffer.from(key).toString()
        const letter = value === null ? null : readAnnouncement(value)
        if (letter === null) letters.delete(id)
        else letters.set(id, letter)
      }
      const last = records.at(-1)
      if (last === undefined || records.length < controlReadMax) break
      offset = last.offset + 1n
    }
    return [...letters.values()].sort((a, b) => (a.parkedAt < b.parkedAt ? -1 : 1))
  }

  /** See `CommandClient.ask`. */
  ask(ask: Ask, watch?: AskWatch): Promise<AskOutcome> {
    return this.#commands.ask(ask, watch)
  }
}

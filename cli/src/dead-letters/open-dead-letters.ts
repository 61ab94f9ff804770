import { hostname, userInfo } from 'node:os'
import {
  CommandClient,
  type DeadLetter,
  DeadLetterClient,
  deadLettersTopic,
  type KafkaConfig,
  KafkaInspector,
  openKafka,
  systemClock,
} from '@millrace/kit'

/** What services of one Kafka have put aside, and the way to ask them for things. */
export interface ControlDesk extends AsyncDisposable {
  list(): Promise<readonly DeadLetter[]>
  readonly commands: CommandClient
}

/** Looking at what services say changes nothing in their Kafka. */
export function openDeadLetters(config: KafkaConfig): ControlDesk {
  const transport = openKafka(config)
  const inspector = new KafkaInspector(config)
  const options = {
    transport,
    clock: systemClock,
    random: Math.random,
    askedBy: `${userInfo().username}@${hostname()}`,
  }
  const client = new DeadLetterClient(options)
  return {
    async list() {
      // The client would make the topic; a Kafka without it has no dead letters.
      const names = await inspector.topicNames()
      return names.includes(deadLettersTopic) ? client.list() : []
    },
    commands: new CommandClient(options),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([inspector[Symbol.asyncDispose](), transport[Symbol.asyncDispose]()])
    },
  }
}

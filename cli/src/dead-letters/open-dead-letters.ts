import { hostname, userInfo } from 'node:os'
import {
  type DeadLetter,
  DeadLetterClient,
  deadLettersTopic,
  type KafkaConfig,
  KafkaInspector,
  openKafka,
  systemClock,
} from '@millrace/kit'

export interface DeadLetterDesk extends AsyncDisposable {
  list(): Promise<readonly DeadLetter[]>
  readonly ask: DeadLetterClient['ask']
}

/** The dead letters of all services that share a Kafka. Looking at them changes nothing there. */
export function openDeadLetters(config: KafkaConfig): DeadLetterDesk {
  const transport = openKafka(config)
  const inspector = new KafkaInspector(config)
  const client = new DeadLetterClient({
    transport,
    clock: systemClock,
    random: Math.random,
    askedBy: `${userInfo().username}@${hostname()}`,
  })
  return {
    async list() {
      // The client would make the topic; a Kafka without it has no dead letters.
      const names = await inspector.topicNames()
      return names.includes(deadLettersTopic) ? client.list() : []
    },
    ask: async (order) => client.ask(order),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([inspector[Symbol.asyncDispose](), transport[Symbol.asyncDispose]()])
    },
  }
}

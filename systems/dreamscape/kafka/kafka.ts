// DreamScape's shared package: the calls of its services on Kafka, as a thin face on the kit.
export type { Domain, Handlers } from './handlers.ts'
export { KafkaService, type KafkaServiceOptions, type PublishedOptions } from './kafka-service.ts'

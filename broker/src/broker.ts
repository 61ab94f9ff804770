/** An embedded broker that speaks Kafka's protocol. */

export type { BrokerSettings } from './broker-settings.ts'
export type { Clock, Timer } from './clock.ts'
export { DiskError, type DiskErrorCode } from './disk/disk.ts'
export type { Endpoint } from './endpoint.ts'
export type { Intercept, InterceptedCall } from './intercept.ts'
export { JournalError, type JournalErrorCode } from './journal/journal-error.ts'
export type { ListenerSettings } from './listen.ts'
export { ListenError, type ListenErrorCode } from './listener.ts'
export { LogDamagedError } from './log/log-damaged-error.ts'
export { DataFormatError } from './log/meta-properties.ts'
export { noReply } from './reply-queue.ts'
export { type Broker, type BrokerOptions, type Storage, startBroker } from './start-broker.ts'

// Declare: what may be said, and who does what.

export type {
  BatchContext,
  BatchHandler,
  BatchOptions,
  EventContext,
} from './batch-handler.ts'
export { baseEventJson } from './catalogue/base-event-json.ts'
export {
  type AnyEvent,
  type BodyOf,
  type Catalogue,
  type CatalogueOptions,
  defineCatalogue,
  type EventMap,
  type EventName,
  type EventOf,
  type EventRoute,
} from './catalogue/catalogue.ts'
export { type Body, type EventDefinition, event } from './catalogue/event.ts'
export { headerNames } from './catalogue/event-headers.ts'
export { flatJson } from './catalogue/flat-json.ts'
export { type OlderBody, type Upcast, upcast } from './catalogue/upcast.ts'
export type { DecodedValue, FormattedEvent, WireFormat } from './catalogue/wire-format.ts'
export { type Clock, type Random, systemClock, type Timer } from './clock.ts'
export { type KafkaConfig, readKafkaConfig } from './config/kafka-config.ts'
export type { Action, CommandOutcome, Order } from './control/command.ts'
export {
  type Ask,
  type AskedCommand,
  type AskOutcome,
  type AskWatch,
  CommandClient,
  type CommandClientOptions,
} from './control/command-client.ts'
export { deadLettersTopic, servicesTopic, tracesTopic } from './control/control-topics.ts'
export { DeadLetterClient, type DeadLetterClientOptions } from './control/dead-letter-client.ts'
export { type Correlation, currentCorrelation } from './correlation.ts'
export type { DeadLetter } from './dead-letter/announcement.ts'
export type { DeadLetterTarget } from './dead-letter/letter-query.ts'
export { reasonSignature } from './dead-letter/reason-signature.ts'
export type { Envelope } from './envelope.ts'
export type { Environment } from './environment.ts'
export {
  Fatal,
  isOutage,
  MillraceError,
  type MillraceErrorCode,
  type MillraceErrorOptions,
  messageOf,
  Outage,
} from './errors.ts'
export type {
  Cancel,
  Effect,
  Handler,
  HandlerContext,
  HandlerOptions,
  Publish,
  PublishOptions,
  RetryOptions,
  TransactionContext,
} from './handler.ts'
export { type KafkaReport, kafkaReport } from './health/kafka-report.ts'
export {
  type Log,
  type LogLevel,
  type LogOptions,
  type LogSink,
  openLog,
  silentLog,
} from './log.ts'
// Inside: what other stores, transports and their tests are made of.
export { ManualClock } from './manual-clock.ts'
export { noObserver, type Observer } from './observe/observer.ts'
export { livenessOf, readServiceRecord, type ServiceRecord } from './observe/service-record.ts'
export {
  readTraceBatch,
  type StepKind,
  type TraceBatch,
  type TraceStep,
} from './observe/trace-step.ts'
export type {
  DrizzleTransaction,
  KyselyTransaction,
  OwnTransaction,
  PostgresClient,
} from './outbox/own-transaction.ts'
export type { PublishInto, PublishIntoOptions } from './outbox/publish-into.ts'
export { serviceTopics } from './outbox/service-topics.ts'
// Run: what a host starts, and what it starts it with.
export {
  type Projection,
  type ProjectionHandler,
  type ProjectionOptions,
  projection,
} from './projection/projection.ts'
export type { ProjectionStatus } from './projection/projections.ts'
export type {
  ReplayOutcome,
  ReplayPoint,
  ReplayProgress,
  ReplayRequest,
  ReplayWatch,
} from './replay/replay.ts'
export type { OpenResources, ResourceStart } from './resources.ts'
export type { CancelOutcome } from './schedule/schedule.ts'
export type {
  RunningServer,
  ServerContext,
  StartServer,
  TransactionOptions,
} from './server.ts'
export {
  type AnyServiceDefinition,
  type ServiceDefinition,
  type ServiceOptions,
  service,
} from './service.ts'
export {
  type AnyRunningService,
  type RunningService,
  type StartOptions,
  startService,
} from './start-service.ts'
export {
  type Aggregate,
  type AggregateDecision,
  type AggregateEvent,
  type AggregateOptions,
  type AggregateOutcome,
  type AggregatePlace,
  type AnyAggregate,
  type DecideOptions,
  defineAggregate,
  type LoadedAggregate,
  type OpenAggregate,
  type OpenAggregates,
  type SnapshotOptions,
  type StoredBody,
} from './state/aggregate.ts'
export {
  type AnyProcessManager,
  defineProcess,
  type FiredTimer,
  type LateDecision,
  type ProcessDecision,
  type ProcessManager,
  type ProcessOptions,
  type ProcessStatus,
  type ProcessStep,
  type ProcessTimer,
  type ProcessView,
} from './state/process-manager.ts'
export { type ProcessReport, readProcess } from './state/process-rows.ts'
export {
  newInstance,
  type ProcessInput,
  type ProcessInstance,
  type ProcessOutcome,
  stepProcess,
  type TimerSetting,
} from './state/process-step.ts'
export type { AnySaid, Said } from './state/said.ts'
export { readAggregate, readStream, type StoredEvent, type StreamPlace } from './state/stream.ts'
export { type InstanceLock, lockInstance } from './store/instance-lock.ts'
export { type KitTables, kitMigrations } from './store/kit-tables.ts'
export { type OpenStoreOptions, openStore } from './store/open-store.ts'
export { openPostgres, type PostgresOptions } from './store/postgres.ts'
export { openSqlite, type SqliteOptions } from './store/sqlite.ts'
export type { Dialect, Scope, ScopeOptions, Store } from './store/store.ts'
export { isUniqueViolation } from './store/store-error.ts'
export {
  defineTables,
  type Migrations,
  type TableDefinitions,
} from './store/table-definitions.ts'
export { dialectOf } from './store/table-view.ts'
export { TransactionUndone, type UndoneBy } from './store/transaction-undone.ts'
export {
  type AddressOf,
  type DevelopmentServer,
  defineSystem,
  type Hint,
  type ServicePlace,
  type System,
} from './system.ts'
export { openKafka } from './transport/kafka.ts'
export {
  type GroupMember,
  type GroupPosition,
  type GroupSummary,
  KafkaInspector,
  type PartitionRange,
  type TopicSummary,
} from './transport/kafka-inspector.ts'
export type { KafkaSettings, SaslSettings } from './transport/kafka-settings.ts'
export { openMemory } from './transport/memory.ts'
export { MemoryCluster, type SendFault } from './transport/memory-cluster.ts'
export type { FetchPosition, PartitionFetch } from './transport/partition-fetch.ts'
export type {
  AssignedPartition,
  ClusterDescription,
  CommitOutcome,
  CommitPosition,
  ConsumeOptions,
  ConsumerListener,
  Consumption,
  Header,
  IncomingRecord,
  OutgoingRecord,
  PartitionLag,
  SendOutcome,
  TopicDescription,
  TopicPartition,
  TopicRequest,
  TopicTrouble,
  Transport,
} from './transport/transport.ts'
export { partitionKey } from './transport/transport.ts'

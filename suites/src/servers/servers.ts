export { type AllServers, startAllServers } from './all-servers.ts'
export { cacheFolder, repositoryRoot } from './cache-folder.ts'
export { bringPrograms, isOnPath, type NeededProgram } from './debian-packages.ts'
export { freePorts } from './free-ports.ts'
export { buildGoProgram } from './go-program.ts'
export { startKafka3 } from './kafka-3.ts'
export {
  bringKafka4,
  type Kafka4Server,
  type KafkaServer,
  kafka4Version,
  saslUsers,
  startKafka4,
} from './kafka-4.ts'
export { type KafkaCluster, startKafkaCluster } from './kafka-cluster.ts'
export { runKafkaTool } from './kafka-tool.ts'
export { bringPostgres, type PostgresServer, startPostgres } from './postgres.ts'
export { openTestDatabase, type TestDatabase } from './postgres-database.ts'
export { withProgress } from './progress.ts'
export {
  type CommandOptions,
  type CommandResult,
  runChecked,
  runCommand,
} from './run-command.ts'
export { type ServerProcess, startServerProcess } from './server-process.ts'
export { type ServerVariable, serverVariable, serverVariables } from './server-variables.ts'

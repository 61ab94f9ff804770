import { bringPrograms } from './debian-packages.ts'
import { bringKafka3, startKafka3 } from './kafka-3.ts'
import { bringKafka4, startKafka4 } from './kafka-4.ts'
import { javaPrograms } from './maven-libs.ts'
import { bringPostgres, startPostgres } from './postgres.ts'
import { withProgress } from './progress.ts'
import type { ServerVariable } from './server-variables.ts'

export interface AllServers extends AsyncDisposable {
  /** What the test files are given. */
  readonly variables: Readonly<Record<ServerVariable, string>>
}

/** Everything that `*.all.test.ts` files need, each server once for the whole run. */
export async function startAllServers(): Promise<AllServers> {
  await bringPrograms([
    ...javaPrograms,
    { program: 'kcat', debianPackage: 'kcat' },
    { program: 'openssl', debianPackage: 'openssl' },
  ])
  const libs = await bringKafka4()
  await bringKafka3()
  await bringPostgres()
  await using starting = new AsyncDisposableStack()
  const [kafka4, kafka3] = await withProgress('Starting Apache Kafka 4.3.0 and 3.5.2', async () => {
    // One after the other: on a small machine two cold JVMs at once take as long.
    const kafka4 = starting.use(await startKafka4())
    return [kafka4, starting.use(await startKafka3())] as const
  })
  const postgres = starting.use(await startPostgres())
  const started = starting.move()
  return {
    variables: {
      MILLRACE_KAFKA_LIBS: libs,
      MILLRACE_KAFKA_4: kafka4.bootstrapServers,
      MILLRACE_KAFKA_4_SASL: kafka4.saslBootstrapServers,
      MILLRACE_KAFKA_4_TLS: kafka4.saslTlsBootstrapServers,
      MILLRACE_KAFKA_4_CA: kafka4.caFile,
      MILLRACE_KAFKA_3: kafka3.bootstrapServers,
      MILLRACE_POSTGRES: postgres.url,
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

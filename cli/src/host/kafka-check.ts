import { type KafkaConfig, KafkaInspector, messageOf } from '@millrace/kit'
import { kafkaCheckMs } from '../limits.ts'

export interface KafkaCheckOptions {
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Looks once whether the Kafka that the user named answers, and says so if it does not. The
 * services run all the same: they keep their events, and send them when it is there.
 */
export async function checkKafka(
  config: KafkaConfig,
  { say, signal }: KafkaCheckOptions,
): Promise<void> {
  await using inspector = new KafkaInspector(config)
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(kafkaCheckMs)])
  const late = Promise.withResolvers<never>()
  timeout.addEventListener('abort', () =>
    late.reject(new Error(`Kafka at ${config.brokers.join(', ')} does not answer`)),
  )
  try {
    await Promise.race([inspector.cluster(), late.promise])
  } catch (error) {
    if (signal.aborted) return
    say(`${messageOf(error)}. The services run, keep their events, and send them when it is there`)
  }
}

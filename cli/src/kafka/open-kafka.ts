import { type KafkaConfig, KafkaInspector, readKafkaConfig } from '@millrace/kit'
import type { Input } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import type { Terminal } from '../output/terminal.ts'

/**
 * Which Kafka a command means: `--brokers`, else `KAFKA_BROKERS`, else the embedded broker's
 * address, with the other `KAFKA_*` variables.
 * @throws MillraceError `config-invalid` with everything that is wrong with the variables
 */
export function kafkaConfigOf(input: Input, { env }: Terminal): KafkaConfig {
  const brokers = input.text('brokers')
  const config = readKafkaConfig(brokers === undefined ? env : { ...env, KAFKA_BROKERS: brokers })
  if (!config.enabled) {
    throw new CommandFailure('KAFKA_ENABLED is false: unset it for commands that look at a Kafka')
  }
  return config
}

export function openInspector(input: Input, terminal: Terminal): KafkaInspector {
  return new KafkaInspector(kafkaConfigOf(input, terminal))
}

import { type CommandOptions, type CommandResult, runCommand } from './run-command.ts'

/** Kafka's programs say only what matters. */
export const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'

/** The garbage collector that takes the least of a small machine. */
export const smallHeap = '-XX:+UseSerialGC'

/**
 * Runs one of Kafka's own tools by its class, for example
 * `org.apache.kafka.tools.TopicCommand`, with the jars in `libs`.
 */
export function runKafkaTool(
  libs: string,
  [tool, ...args]: readonly [tool: string, ...args: string[]],
  options: CommandOptions = {},
): Promise<CommandResult> {
  // The star is Java's to expand, not the shell's.
  const flags = [quiet, smallHeap, '-Xmx256m', '-cp', `${libs}/*`]
  return runCommand('java', [...flags, tool, ...args], options)
}

// The configs of a topic: what was set for it over what the broker was started with over Kafka's
// defaults.

import type { LogConfig } from '../log/log-config.ts'
import {
  type ConfigDefinition,
  topicConfigByName,
  topicConfigDefinitions,
} from './config-definitions.ts'
import { type ConfigType, listItems } from './config-values.ts'

/** Values that were set, by the name of the config. */
export type ConfigValues = ReadonlyMap<string, string>

/** Kafka's numbers for where a value comes from. */
export const configSources = { topic: 1, staticBroker: 4, fallback: 5 } as const

/** One place where a config has a value. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string
  readonly source: number
}

/** A config with its value in force, and everywhere that it has one, the strongest first. */
export interface DescribedConfig extends ConfigEntry {
  readonly type: ConfigType
  readonly documentation: string
  readonly isReadOnly: boolean
  readonly synonyms: readonly ConfigEntry[]
}

/** What the topic configs of one broker resolve to. */
export class TopicConfigs {
  readonly #brokerWide: ConfigValues

  /** @throws Error when the broker-wide values hold an unknown name or a wrong value */
  constructor(brokerWide: Readonly<Record<string, string>>) {
    this.#brokerWide = new Map(Object.entries(brokerWide))
    for (const [name, value] of this.#brokerWide) {
      const problem = configProblem(name, value)
      if (problem !== undefined) throw new Error(`topicDefaults: ${problem}`)
    }
  }

  /** Every config of a topic with these values of its own. */
  resolveAll(own: ConfigValues): readonly DescribedConfig[] {
    return topicConfigDefinitions.map((definition) => this.#resolve(definition, own))
  }

  /** The value in force, as text. */
  valueOf(name: string, own: ConfigValues): string {
    const fallback = topicConfigByName.get(name)?.value.fallback ?? ''
    return own.get(name) ?? this.#brokerWide.get(name) ?? fallback
  }

  /** What the logs of a topic with these values of its own are told. */
  logConfig(own: ConfigValues): LogConfig {
    const value = (name: string): string => this.valueOf(name, own)
    // Deleting by age would take what compaction promises to keep.
    const policies = listItems(value('cleanup.policy'))
    const deletes = policies.includes('delete')
    const stamps = value('message.timestamp.type')
    return {
      segmentBytes: Number(value('segment.bytes')),
      segmentMs: Number(value('segment.ms')),
      retentionMs: deletes ? Number(value('retention.ms')) : -1,
      retentionBytes: deletes ? Number(value('retention.bytes')) : -1,
      maxMessageBytes: Number(value('max.message.bytes')),
      messageTimestampType: stamps === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
      timestampAfterMaxMs: Number(value('message.timestamp.after.max.ms')),
      compaction: policies.includes('compact')
        ? {
            minLagMs: Number(value('min.compaction.lag.ms')),
            maxLagMs: Number(value('max.compaction.lag.ms')),
            dirtyRatioMin: Number(value('min.cleanable.dirty.ratio')),
            tombstoneKeptMs: Number(value('delete.retention.ms')),
          }
        : null,
      indexIntervalBytes: Number(value('index.interval.bytes')),
    }
  }

  #resolve(definition: ConfigDefinition, own: ConfigValues): DescribedConfig {
    const { name, synonym } = definition
    const fallback = {
      name: synonym,
      value: definition.value.fallback,
      source: configSources.fallback,
    }
    const synonyms: ConfigEntry[] = [fallback]
    const brokerWide = this.#brokerWide.get(name)
    if (brokerWide !== undefined) {
      synonyms.unshift({ name: synonym, value: brokerWide, source: configSources.staticBroker })
    }
    const set = own.get(name)
    if (set !== undefined) synonyms.unshift({ name, value: set, source: configSources.topic })
    const [inForce = fallback] = synonyms
    return {
      name,
      type: definition.value.type,
      documentation: definition.documentation,
      value: inForce.value,
      source: inForce.source,
      isReadOnly: false,
      synonyms,
    }
  }
}

/** What is wrong with a value of a config; `undefined` when nothing is. */
export function configProblem(name: string, value: string | null): string | undefined {
  const definition = topicConfigByName.get(name)
  if (definition === undefined) return `unknown topic config "${name}"`
  if (value === null) return `topic config "${name}" has no value`
  const problem = definition.value.problemWith(value)
  return problem === undefined ? undefined : `topic config "${name}" ${problem}, not "${value}"`
}

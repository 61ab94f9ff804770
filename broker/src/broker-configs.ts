// The broker's own settings under Kafka's names, for tools that ask. They are set when it starts.

import { type BrokerParts, nodeId } from './broker-parts.ts'
import { type BrokerSettings, brokerSettingsDefault } from './broker-settings.ts'
import { configSources, type DescribedConfig } from './topics/config.ts'
import type { ConfigType } from './topics/config-values.ts'

interface BrokerConfig {
  readonly name: string
  readonly type: ConfigType
  readonly documentation: string
  readonly valueIn: (settings: BrokerSettings) => string
}

const minuteMs = 60_000

const definitions: readonly BrokerConfig[] = [
  {
    name: 'auto.create.topics.enable',
    type: 'boolean',
    documentation: 'Whether an unknown topic that a client asks for is made.',
    valueIn: ({ autoCreateTopics }) => String(autoCreateTopics),
  },
  {
    name: 'group.initial.rebalance.delay.ms',
    type: 'int',
    documentation: 'How long a new group waits for more members.',
    valueIn: ({ groupInitialRebalanceDelayMs }) => String(groupInitialRebalanceDelayMs),
  },
  {
    name: 'group.max.session.timeout.ms',
    type: 'int',
    documentation: 'The longest session that a member may ask for.',
    valueIn: ({ groupMaxSessionTimeoutMs }) => String(groupMaxSessionTimeoutMs),
  },
  {
    name: 'group.max.size',
    type: 'int',
    documentation: 'How many members a group may have.',
    valueIn: ({ groupMaxSize }) => String(groupMaxSize),
  },
  {
    name: 'group.min.session.timeout.ms',
    type: 'int',
    documentation: 'The shortest session that a member may ask for.',
    valueIn: ({ groupMinSessionTimeoutMs }) => String(groupMinSessionTimeoutMs),
  },
  {
    name: 'num.partitions',
    type: 'int',
    documentation: 'How many partitions a topic gets that does not say.',
    valueIn: ({ numPartitions }) => String(numPartitions),
  },
  {
    name: 'offsets.retention.minutes',
    type: 'int',
    documentation: 'How long offsets are kept after their group has become empty.',
    valueIn: ({ offsetsRetentionMs }) => String(Math.round(offsetsRetentionMs / minuteMs)),
  },
]

/** Every config of the broker, sorted by name. */
export function describeBroker(broker: BrokerParts): readonly DescribedConfig[] {
  const own = definitions.map((definition) => described(definition, broker.settings))
  const fixed = [
    fixedConfig('advertised.listeners', listenersOf(broker)),
    fixedConfig('default.replication.factor', '1'),
    fixedConfig('delete.topic.enable', 'true'),
    fixedConfig('node.id', String(nodeId)),
  ]
  const brokerWide = broker.topics.configs.resolveAll(new Map()).map(
    (config): DescribedConfig => ({
      ...config,
      name: config.synonyms[0]?.name ?? config.name,
      isReadOnly: true,
    }),
  )
  return [...own, ...fixed, ...brokerWide].sort((left, right) => (left.name < right.name ? -1 : 1))
}

function described(
  { name, type, documentation, valueIn }: BrokerConfig,
  settings: BrokerSettings,
): DescribedConfig {
  const fallback = { name, value: valueIn(brokerSettingsDefault), source: configSources.fallback }
  const value = valueIn(settings)
  const set = { name, value, source: configSources.staticBroker }
  const synonyms = value === fallback.value ? [fallback] : [set, fallback]
  const source = synonyms[0]?.source ?? fallback.source
  return { name, type, documentation, value, source, isReadOnly: true, synonyms }
}

function fixedConfig(name: string, value: string): DescribedConfig {
  const source = configSources.staticBroker
  return {
    name,
    type: 'string',
    documentation: '',
    value,
    source,
    isReadOnly: true,
    synonyms: [{ name, value, source }],
  }
}

function listenersOf({ endpoints }: BrokerParts): string {
  return endpoints.map(({ host, port }) => `PLAINTEXT://${host}:${port}`).join(',')
}

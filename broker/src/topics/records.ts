// What the journal keeps of topics. The order of fields and the numbers of types are for ever.

import { array, int32, nullableString, string, uuid } from '@millrace/wire'
import { encodeStateRecord, openStateRecord, stateRecord } from '../state-record.ts'
import type { ConfigValues } from './config.ts'
import type { TopicFacts } from './topic.ts'

export type TopicRecord =
  /** The topic exists, with so many partitions; also written when partitions are added. */
  | ({ readonly kind: 'topic' } & TopicFacts)
  /** These configs of a topic have changed; `null` takes its own value away. */
  | { readonly kind: 'configs'; readonly topicId: string; readonly changes: ConfigChanges }
  /** The topic exists no more; its directories are still to be removed. */
  | { readonly kind: 'deleted'; readonly topicId: string }
  /** The directories of a deleted topic are gone too. */
  | { readonly kind: 'forgotten'; readonly topicId: string }

export type ConfigChanges = ReadonlyMap<string, string | null>

const configList = array({ name: string, value: nullableString })

const topicRecord = stateRecord({
  type: 0,
  name: 'topic record',
  versions: [0, 0],
  shape: { topicId: uuid, name: string, partitionCount: int32, configs: configList },
})

const configsRecord = stateRecord({
  type: 1,
  name: 'topic configs record',
  versions: [0, 0],
  shape: { topicId: uuid, configs: configList },
})

const deletedRecord = stateRecord({
  type: 2,
  name: 'deleted topic record',
  versions: [0, 0],
  shape: { topicId: uuid },
})

const forgottenRecord = stateRecord({
  type: 3,
  name: 'forgotten topic record',
  versions: [0, 0],
  shape: { topicId: uuid },
})

export function encodeTopicRecord(record: TopicRecord): Uint8Array {
  switch (record.kind) {
    case 'topic':
      return encodeStateRecord(topicRecord, { ...record, configs: entries(record.configs) })
    case 'configs':
      return encodeStateRecord(configsRecord, {
        topicId: record.topicId,
        configs: entries(record.changes),
      })
    case 'deleted':
      return encodeStateRecord(deletedRecord, record)
    case 'forgotten':
      return encodeStateRecord(forgottenRecord, record)
    default:
      return record satisfies never
  }
}

/** @throws WireError for bytes that `encodeTopicRecord` did not make */
export function decodeTopicRecord(bytes: Uint8Array): TopicRecord {
  const { type, version, reader } = openStateRecord(bytes)
  switch (type) {
    case topicRecord.type: {
      const value = topicRecord.message.decode(reader, version)
      return { kind: 'topic', ...value, configs: setValues(value.configs) }
    }
    case configsRecord.type: {
      const { topicId, configs } = configsRecord.message.decode(reader, version)
      return { kind: 'configs', topicId, changes: new Map(configs.map(entry)) }
    }
    case deletedRecord.type:
      return { kind: 'deleted', ...deletedRecord.message.decode(reader, version) }
    case forgottenRecord.type:
      return { kind: 'forgotten', ...forgottenRecord.message.decode(reader, version) }
    default:
      throw new Error(`the journal of topics holds a record of the unknown type ${type}`)
  }
}

interface ConfigPair {
  readonly name: string
  readonly value: string | null
}

function entries(values: ConfigChanges): ConfigPair[] {
  return [...values].map(([name, value]) => ({ name, value }))
}

function entry({ name, value }: ConfigPair): [string, string | null] {
  return [name, value]
}

function setValues(pairs: readonly ConfigPair[]): ConfigValues {
  const values = new Map<string, string>()
  for (const { name, value } of pairs) if (value !== null) values.set(name, value)
  return values
}

// Which topics there are, as the journal tells it. Pure: records in, facts out.
//
// T1. State changes by `evolve` and by nothing else, live and on restart.
// T2. The id of a deleted topic is kept until its directories are gone, so that a crash in between
//     leaves nothing that looks like a topic of its own.

import { type ConfigChanges, encodeTopicRecord, type TopicRecord } from './records.ts'
import type { TopicFacts } from './topic.ts'

export interface TopicTable {
  readonly topics: ReadonlyMap<string, TopicFacts>
  /** Ids of topics that are deleted and have directories left. */
  readonly deleted: ReadonlySet<string>
}

export const noTopics: TopicTable = { topics: new Map(), deleted: new Set() }

/** The table after a record; topics are found by their id. */
export function evolve(table: TopicTable, record: TopicRecord): TopicTable {
  const topics = new Map(table.topics)
  const deleted = new Set(table.deleted)
  switch (record.kind) {
    case 'topic': {
      const { name, topicId, partitionCount, configs } = record
      topics.set(topicId, { name, topicId, partitionCount, configs })
      break
    }
    case 'configs': {
      const topic = topics.get(record.topicId)
      if (topic === undefined) break
      topics.set(record.topicId, { ...topic, configs: changed(topic.configs, record.changes) })
      break
    }
    case 'deleted':
      topics.delete(record.topicId)
      deleted.add(record.topicId)
      break
    case 'forgotten':
      deleted.delete(record.topicId)
      break
  }
  return { topics, deleted }
}

/** Records from which `evolve` makes this table anew. */
export function* snapshotOf(table: TopicTable): Generator<Uint8Array> {
  for (const topic of table.topics.values()) yield encodeTopicRecord({ ...topic, kind: 'topic' })
  for (const topicId of table.deleted) yield encodeTopicRecord({ kind: 'deleted', topicId })
}

function changed(
  configs: ReadonlyMap<string, string>,
  changes: ConfigChanges,
): ReadonlyMap<string, string> {
  const result = new Map(configs)
  for (const [name, value] of changes) {
    if (value === null) result.delete(name)
    else result.set(name, value)
  }
  return result
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FetchPosition, IncomingRecord, PartitionFetch } from '@millrace/kit'
import { followSlice, readSlice, type TopicReader } from './read-topic.ts'

interface FakeRecord {
  readonly offset: bigint
  readonly timestampMs: number
}

/** A topic whose partitions answer with at most two records at a time. */
function topicOf(partitions: readonly (readonly FakeRecord[])[]) {
  const asked: FetchPosition[][] = []
  const reader: TopicReader = {
    async fetch(positions) {
      asked.push([...positions])
      return positions.map((position) => answer(position, partitions[position.partition] ?? []))
    },
  }
  return { reader, asked }
}

function answer(at: FetchPosition, all: readonly FakeRecord[]): PartitionFetch {
  const { topic, partition } = at
  const found = all.filter(({ offset }) => offset >= at.offset).slice(0, 2)
  const records = found.map((one): IncomingRecord => {
    return { ...one, topic, partition, key: null, value: null, headers: [] }
  })
  const nextOffset = (found.at(-1)?.offset ?? at.offset - 1n) + 1n
  return { kind: 'records', topic, partition, records, nextOffset }
}

function range(partition: number, start: bigint, end: bigint) {
  return { topic: 't', partition, start, end }
}

async function read(records: AsyncGenerator<IncomingRecord>): Promise<string[]> {
  const found: string[] = []
  for await (const { partition, offset } of records) found.push(`${partition}/${offset}`)
  return found
}

const even = [0n, 1n, 2n, 3n, 4n].map((offset) => ({ offset, timestampMs: Number(offset) * 2 }))
const odd = [0n, 1n, 2n].map((offset) => ({ offset, timestampMs: Number(offset) * 2 + 1 }))

test('partitions are merged by time, however few records an answer holds', async () => {
  const { reader } = topicOf([even, odd])
  const slice = { topicId: 'id', ranges: [range(0, 0n, 5n), range(1, 0n, 3n)] }
  const found = await read(readSlice(reader, slice))
  assert.equal(found.join(' '), '0/0 1/0 0/1 1/1 0/2 1/2 0/3 0/4')
})

test('nothing outside the slice is given, and an empty partition is not asked', async () => {
  const { reader, asked } = topicOf([even, []])
  const slice = { topicId: 'id', ranges: [range(0, 1n, 4n), range(1, 9n, 9n)] }
  assert.deepEqual(await read(readSlice(reader, slice)), ['0/1', '0/2', '0/3'])
  assert.ok(asked.flat().every(({ partition }) => partition === 0))
})

test('offsets order a partition whose clocks ran backwards', async () => {
  const backwards = [
    { offset: 0n, timestampMs: 9 },
    { offset: 1n, timestampMs: 3 },
  ]
  const { reader } = topicOf([backwards, [{ offset: 0n, timestampMs: 5 }]])
  const slice = { topicId: 'id', ranges: [range(0, 0n, 2n), range(1, 0n, 1n)] }
  assert.deepEqual(await read(readSlice(reader, slice)), ['1/0', '0/0', '0/1'])
})

test('a slice that ends in a gap, as compaction leaves it, is read to its end', async () => {
  const { reader } = topicOf([[{ offset: 0n, timestampMs: 1 }]])
  const gap: TopicReader = {
    async fetch(positions) {
      const answers = await reader.fetch(positions)
      return answers.map((one) => (one.kind === 'records' ? { ...one, nextOffset: 5n } : one))
    },
  }
  assert.deepEqual(await read(readSlice(gap, { topicId: 'id', ranges: [range(0, 0n, 5n)] })), [
    '0/0',
  ])
})

test('what retention removed meanwhile is passed over', async () => {
  const { reader } = topicOf([even])
  const trimmed: TopicReader = {
    async fetch([at]) {
      assert.ok(at)
      const { topic, partition } = at
      if (at.offset < 3n) return [{ kind: 'out-of-range', topic, partition, logStart: 3n }]
      return reader.fetch([at])
    },
  }
  const slice = { topicId: 'id', ranges: [range(0, 0n, 5n)] }
  assert.deepEqual(await read(readSlice(trimmed, slice)), ['0/3', '0/4'])
})

test('a topic that goes away while it is read is said', async () => {
  const gone: TopicReader = {
    fetch: async (positions) =>
      positions.map(({ topic, partition }) => ({ kind: 'gone', topic, partition })),
  }
  await assert.rejects(read(readSlice(gone, { topicId: 'id', ranges: [range(0, 0n, 1n)] })), {
    message: 'topic "t" was deleted while it was read',
  })
})

test('following begins where the slice ends, and ends with its signal', async () => {
  const { reader, asked } = topicOf([even, odd])
  const stop = new AbortController()
  const slice = { topicId: 'id', ranges: [range(0, 0n, 3n), range(1, 0n, 3n)] }
  const found: string[] = []
  for await (const { partition, offset } of followSlice(reader, slice, stop.signal)) {
    found.push(`${partition}/${offset}`)
    if (found.length === 2) stop.abort()
  }
  assert.deepEqual(found, ['0/3', '0/4'])
  assert.deepEqual(
    asked[0]?.map(({ offset }) => offset),
    [3n, 3n],
  )
})

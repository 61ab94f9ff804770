import {
  headerNames,
  type IncomingRecord,
  type KafkaInspector,
  readTraceBatch,
  tracesTopic,
} from '@millrace/kit'
import { readSlice } from '../kafka/read-topic.ts'
import { headerRecordsMax } from '../limits.ts'
import type { ToldStep } from './event-tree.ts'

export interface Chain {
  readonly correlationId: string
  readonly steps: readonly ToldStep[]
  /** Steps that services had to leave out while the chain ran. */
  readonly dropped: number
  /** `headers`: no step is left, and the records themselves tell who said what. */
  readonly from: 'traces' | 'headers'
}

/** The steps of a chain, by its correlation id or by the id of one of its events. */
export async function readChain(inspector: KafkaInspector, asked: string): Promise<Chain> {
  const names = await inspector.topicNames()
  const found = names.includes(tracesTopic) ? await readTraces(inspector, asked) : null
  if (found !== null && found.steps.length > 0) return found
  const topics = names.filter((name) => !name.startsWith('millrace.'))
  return readHeadersOf(inspector, topics, asked)
}

async function readTraces(inspector: KafkaInspector, asked: string): Promise<Chain> {
  const direct = await scanTraces(inspector, asked)
  const own = direct.steps.filter(({ chain }) => chain === asked)
  if (own.length > 0) return { ...direct, correlationId: asked, steps: own }
  const correlationId = direct.steps.find(({ id }) => id === asked)?.chain
  if (correlationId === undefined) return { ...direct, correlationId: asked, steps: [] }
  const whole = await scanTraces(inspector, correlationId)
  const steps = whole.steps.filter(({ chain }) => chain === correlationId)
  return { ...whole, correlationId, steps }
}

async function scanTraces(inspector: KafkaInspector, text: string) {
  const [summary] = await inspector.topics([tracesTopic])
  const steps: ToldStep[] = []
  let dropped = 0
  if (summary === undefined) return { steps, dropped, from: 'traces' as const }
  for await (const { value } of readSlice(inspector, summary)) {
    // Most batches are others': a look at the bytes is far cheaper than to read them.
    if (value === null || !bytesOf(value).includes(text)) continue
    const batch = readTraceBatch(value)
    if (batch === null) continue
    dropped += batch.dropped
    for (const step of batch.steps) {
      if (step.chain === text || step.id === text) steps.push({ ...step, by: batch.service })
    }
  }
  return { steps, dropped, from: 'traces' as const }
}

/** What the records of events tell by themselves: who said them, when, and because of what. */
async function readHeadersOf(
  inspector: KafkaInspector,
  topics: readonly string[],
  correlationId: string,
): Promise<Chain> {
  const steps: ToldStep[] = []
  for (const summary of await inspector.topics(topics)) {
    const ranges = summary.ranges.map((range) => {
      const start = range.end - headerRecordsMax
      return start > range.start ? { ...range, start } : range
    })
    for await (const record of readSlice(inspector, { ...summary, ranges })) {
      const headers = textHeaders(record)
      if (headers.get(headerNames.correlationId) === correlationId) {
        steps.push(...stepsOf(record, headers, correlationId))
      }
    }
  }
  return { correlationId, steps, dropped: 0, from: 'headers' }
}

function stepsOf(
  record: IncomingRecord,
  headers: ReadonlyMap<string, string>,
  chain: string,
): readonly ToldStep[] {
  const { topic, partition, offset, timestampMs: atMs } = record
  const id = headers.get(headerNames.id)
  if (id === undefined) return []
  const cause = headers.get(headerNames.causationId)
  const known = {
    id,
    chain,
    atMs,
    by: headers.get(headerNames.source) ?? '?',
    type: headers.get(headerNames.type) ?? topic,
    topic,
    partition,
    offset: Number(offset),
    ...(cause === undefined ? {} : { cause }),
  }
  return [{ step: 'sent', ...known }]
}

function textHeaders({ headers }: IncomingRecord): ReadonlyMap<string, string> {
  return new Map(headers.map(({ name, value }) => [name, bytesOf(value).toString()]))
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

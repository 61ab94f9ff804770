// What the events of the todo system look like from outside, and how far a group has read them.
import type { IncomingRecord, KafkaInspector } from '@millrace/kit'
import { z } from 'zod'
import type { Heard } from './checks.ts'

const valueSchema = z.object({
  userId: z.int().optional(),
  taskId: z.int().optional(),
  creatorId: z.int().default(0),
  assigneeId: z.int().nullable().default(null),
  payload: z.record(z.string(), z.unknown()),
})

/** An event of the todo system, from the bytes of its record. */
export function heardIn({ topic, value, headers }: IncomingRecord): Heard {
  const text = new TextDecoder()
  const event = valueSchema.parse(JSON.parse(text.decode(value ?? undefined)))
  const id = headers.find(({ name }) => name === 'id')
  return {
    topic,
    key: event.taskId ?? event.userId ?? 0,
    payload: event.payload,
    eventId: text.decode(id?.value),
    creatorId: event.creatorId,
    assigneeId: event.assigneeId,
  }
}

/** How many records of the topics a group has not passed yet. */
export async function lagOf(kafka: KafkaInspector, group: string): Promise<bigint> {
  const found = (await kafka.groups()).find((one) => one.group === group)
  return (found?.positions ?? []).reduce((lag, { committed, end }) => lag + end - committed, 0n)
}

import { defineCatalogue, event } from '@millrace/kit'
import { z } from 'zod'

export const topic = 'bench.event'

const payload = z.object({
  account: z.int(),
  amount: z.number(),
  text: z.string(),
  items: z.array(z.object({ name: z.string(), count: z.int() })),
})

/** What every subject reads: BaseEvent as JSON, about 400 bytes. */
export const catalogue = defineCatalogue('bench', {
  'bench.event': event({
    version: '1.0',
    key: (body) => body.payload.account,
    payload,
  }),
})

/** The envelope as a careful consumer checks it by hand. */
export const envelope = z.object({
  eventId: z.string(),
  eventType: z.string(),
  timestamp: z.string(),
  version: z.string(),
  source: z.string(),
  payload,
})

export function recordValue(number: number, account: number): string {
  return JSON.stringify({
    eventId: `bench-${number}`,
    eventType: 'bench.event',
    timestamp: '2026-01-31T12:00:00.000Z',
    version: '1.0',
    source: 'bench',
    correlationId: `corr-${number % 1000}`,
    payload: {
      account,
      amount: number / 100,
      text: 'what a customer wrote, which nobody reads '.repeat(3),
      items: [
        { name: 'tea', count: 2 },
        { name: 'sugar', count: 1 },
      ],
    },
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { service } from '../service.ts'
import { asyncApiOf } from './async-api.ts'
import { mermaidOf } from './mermaid.ts'

const catalogue = defineCatalogue('users', {
  'user.created': event({
    version: '1.0',
    key: (e) => e.userId,
    fields: z.object({ userId: z.string() }),
    payload: z.object({ email: z.email() }),
  }),
})
const welcome = service('welcome', { catalogue, group: 'welcome-group' }).on(
  'user.created',
  async () => {},
)

test('a topic is a channel, an event a message, a handler an operation of its group', () => {
  const document = asyncApiOf(catalogue, {
    title: 'Users',
    version: '1.0.0',
    services: [welcome],
    servers: { development: 'localhost:9092' },
  })
  assert.partialDeepStrictEqual(document, {
    asyncapi: '3.0.0',
    servers: { development: { host: 'localhost:9092', protocol: 'kafka' } },
    channels: {
      'user.created': { address: 'user.created', bindings: { kafka: { partitions: 4 } } },
    },
    operations: {
      'welcome.user.created': {
        action: 'receive',
        channel: { $ref: '#/channels/user.created' },
        bindings: { kafka: { groupId: { const: 'welcome-group' } } },
      },
    },
    components: {
      messages: {
        'user.created': {
          payload: {
            properties: {
              eventType: { const: 'user.created' },
              userId: { type: 'string' },
              payload: { properties: { email: { format: 'email' } } },
            },
            required: ['userId', 'payload'],
          },
        },
      },
    },
  })
})

test('a flowchart leads from who says an event to who hears it', () => {
  const chart = mermaidOf({ services: [welcome], said: { welcome: ['user.created'] } })
  assert.equal(
    chart,
    [
      'flowchart LR',
      '  s0["welcome"]',
      '  e0(["user.created"])',
      '  s0 --> e0',
      '  e0 --> s0',
      '',
    ].join('\n'),
  )
})

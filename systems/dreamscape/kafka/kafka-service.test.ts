import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KafkaService } from '@dreamscape/kafka'
import { type Broker, startBroker } from '@millrace/broker'
import { catalogue, groupOf } from '@millrace/dreamscape/catalogue'
import { service, silentLog } from '@millrace/kit'

const running = new AsyncDisposableStack()
let broker: Broker
let directory: string

before(async () => {
  broker = running.use(await startBroker({}))
  directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  running.defer(() => rm(directory, { recursive: true }))
})
after(() => running.disposeAsync())

function kafkaService(name: 'auth' | 'user') {
  const definition = service(`dreamscape-${name}-service`, { catalogue, group: groupOf(name) })
  const env = { KAFKA_BROKERS: broker.bootstrap }
  return new KafkaService(definition, { directory, env, log: silentLog })
}

const john = {
  userId: 'user-123',
  email: 'john@example.com',
  firstName: 'John',
  lastName: 'Doe',
}
const session = { userId: 'user-123', sessionId: 's-1' }

/** A list that can be waited for. */
function listed<Item>() {
  const items: Item[] = []
  const waiting = new Map<number, () => void>()
  return {
    items,
    push(item: Item) {
      items.push(item)
      waiting.get(items.length)?.()
    },
    reached: (count: number) =>
      items.length >= count
        ? Promise.resolve()
        : new Promise<void>((resolve) => waiting.set(count, resolve)),
  }
}

test('events are published, and heard by handlers that came before and after the start', async () => {
  const auth = kafkaService('auth')
  const user = kafkaService('user')
  const heard = listed<string>()
  await auth.subscribeToUserEvents({
    onUserCreated: async ({ payload, correlationId, source }, { attempt }) =>
      heard.push(`${payload.firstName} ${correlationId} ${source} ${attempt}`),
  })
  await Promise.all([auth.initialize(), user.initialize()])
  await user.publish('user.created', { payload: john }, { correlationId: 'corr-123456' })
  await heard.reached(1)

  // Said while nobody hears it yet, and not missed.
  await user.publish('user.deleted', { payload: { userId: john.userId } })
  await auth.publish('auth.login', { payload: session })
  await Promise.all([
    auth.subscribeToAuthEvents({ onAuthLogin: async () => heard.push('login') }),
    auth.subscribeToUserEvents({
      onUserUpdated: async () => {},
      onUserDeleted: async (_event, { publish }) => {
        await publish('auth.logout', { payload: session })
        heard.push('deleted')
      },
    }),
  ])
  await user.subscribeToAuthEvents({ onAuthLogout: async () => heard.push('logout') })
  await heard.reached(4)
  assert.equal(heard.items[0], 'John corr-123456 dreamscape-user-service 1')
  assert.deepEqual(heard.items.slice(1).sort(), ['deleted', 'login', 'logout'])

  const report = await auth.healthCheck()
  assert.equal(report.status, 'up')
  assert.equal(report.groups[0]?.group, 'dreamscape-auth-service-group')
  await Promise.all([auth.disconnect(), user.disconnect()])
})

test('what is no event of the domain, and what is handled twice, is refused', async () => {
  const auth = kafkaService('auth')
  const untyped: { subscribeToUserEvents(handlers: object): Promise<void> } = auth
  await assert.rejects(
    () => untyped.subscribeToUserEvents({ onUserCraeted: async () => {} }),
    /no event of "user" is handled by "onUserCraeted"; there is onUserCreated, /,
  )
  await auth.subscribeToUserEvents({ onUserCreated: async () => {} })
  await assert.rejects(
    () => auth.subscribeToUserEvents({ onUserCreated: async () => {} }),
    /two handlers for "user\.created"/,
  )
})

test('nothing is published before initialize, nor after disconnect', async () => {
  const auth = kafkaService('auth')
  const publish = () => auth.publish('auth.login', { payload: session })
  await assert.rejects(publish, { code: 'service-stopped' })
  await auth.initialize()
  await publish()
  await auth.disconnect()
  await assert.rejects(publish, { code: 'service-stopped' })
})

// P3 for handlers that use no transaction: what they did is written down all the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import { MillraceError } from '../errors.ts'
import { handlersRunningMax, handlerTimeoutMsDefault } from '../limits.ts'

/** Says what it handled, and uses nothing of its context. */
function telling() {
  const told: string[] = []
  const handle = async ({ taskId }: { readonly taskId: string }): Promise<void> => {
    told.push(taskId)
  }
  return { told, handle }
}

/** A transaction that keeps all others waiting, at the latest until its test has ended. */
async function holdWriter({ store }: Awaited<ReturnType<typeof consumerFixture>>) {
  const scope = store.scope({ name: 'holds the writer', heldMsMax: 10 * handlerTimeoutMsDefault })
  await scope.open()
  return { letGo: () => scope.rollback(), [Symbol.asyncDispose]: () => scope.rollback() }
}

test('what was handled without a transaction is not handled again after a crash', async () => {
  const { told, handle } = telling()
  const first = await consumerFixture({ handle })
  await first.send('task.updated', 'a', '1')
  await settle()
  await first.crash()
  await using it = await consumerFixture({ handle, earlier: first })
  await it.send('task.updated', 'b', '1')
  await settle()
  assert.deepEqual(told, ['a', 'b'])
})

test('its offset is not committed before its inbox row is', async () => {
  const { told, handle } = telling()
  await using it = await consumerFixture({ handle })
  await settle() // until its partitions are taken
  await using writer = await holdWriter(it)
  await it.send('task.updated', 'a', '1')
  await settle()
  assert.deepEqual(told, ['a'])
  await it.clock.advance(1_000)
  assert.deepEqual(await it.committed('task.updated'), [null, null])
  await writer.letGo()
  await settle()
  await it.clock.advance(1_000)
  assert.deepEqual(await it.committed('task.updated'), [null, 1n])
})

test('more of them than may run at once are handled while their rows wait to be written', async () => {
  const { told, handle } = telling()
  await using it = await consumerFixture({ handle })
  await settle() // until its partitions are taken
  await using writer = await holdWriter(it)
  for (let task = 0; task < 2 * handlersRunningMax; task += 1) {
    await it.send('task.updated', `task ${task}`, '1')
  }
  await settle()
  assert.equal(told.length, 2 * handlersRunningMax)
  await writer.letGo()
})

test('one that is given up while its row waits to be written has come back all the same', async () => {
  const { handle } = telling()
  await using it = await consumerFixture({ handle, handlerOptions: { retry: { attemptsMax: 1 } } })
  await settle() // until its partitions are taken
  await using writer = await holdWriter(it)
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.send('task.updated', 'b', '1')
  await settle()
  await it.clock.advance(handlerTimeoutMsDefault)
  await writer.letGo()
  await settle()
  assert.deepEqual(it.consumer.status().overdue, [])
})

test('a query after the handler’s end finds its transaction over', async () => {
  const late: Promise<unknown>[] = []
  await using it = await consumerFixture({
    handle: async (_event, { db }) => {
      late.push(settle().then(() => db.selectFrom('done').selectAll().execute()))
    },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  const [query] = late
  await assert.rejects(
    async () => query,
    (error) => error instanceof MillraceError && error.code === 'transaction-closed',
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryCluster, openMemory, systemClock } from '@millrace/kit'
import { startPostgres } from './servers/postgres.ts'
import { openTestDatabase } from './servers/postgres-database.ts'
import { sendStep, startWorker, until, workCatalogue, writeDown } from './work-service.ts'

const events = 200

test('a PostgreSQL that is killed under load is an outage: nothing is parked, lost or doubled', async () => {
  await using server = await startPostgres()
  await using database = await openTestDatabase(server.url)
  using cluster = new MemoryCluster(systemClock)
  await using other = openMemory(cluster, systemClock)
  const work = workCatalogue('work')
  await other.ensureTopics(work.catalogue.topics)
  await using worker = await startWorker({
    work,
    group: 'worker',
    transport: openMemory(cluster, systemClock),
    storeOf: async () => ({ DATABASE_URL: database.url }),
    handle: writeDown,
  })
  const send = async (from: number, to: number) => {
    for (let number = from; number < to; number += 1) {
      const step = {
        name: 'task.updated',
        task: `task ${number % 7}`,
        step: String(number),
      } as const
      await sendStep(other, work, { ...step, id: `event ${number}` })
    }
  }
  await send(0, 20)
  await worker.untilDone(20)
  const sending = send(20, events)
  await server.kill()
  await sending
  await until(() =>
    worker.done().then(
      () => false,
      () => true,
    ),
  )
  assert.match((await worker.running.health()).storeUnknown ?? '', /./)
  await server.start()
  const done = await worker.untilDone(events)
  assert.equal(done.length, events)
  assert.deepEqual(await worker.running.deadLetters.list(), [])
  assert.equal((await worker.running.health()).storeUnknown, null)
  for (let task = 0; task < 7; task += 1) {
    const steps = done.filter((line) => line.startsWith(`task ${task} `))
    const numbers = steps.map((line) => Number(line.split(' ').at(-1)))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
  }
})

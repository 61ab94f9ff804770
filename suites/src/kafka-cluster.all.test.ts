import assert from 'node:assert/strict'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checks } from './delivery-bench.ts'
import { deliveryConformance } from './delivery-conformance.ts'
import { kafkaBackend } from './kafka-backend.ts'
import { startKafkaCluster } from './servers/servers.ts'
import { type TransportConformanceOptions, transportConformance } from './transport-conformance.ts'

/** Nobody else needs three brokers, so they live as long as this file. */
const starting = startKafkaCluster()
after(async () => (await starting)[Symbol.asyncDispose]())

const cluster: TransportConformanceOptions = {
  name: 'three brokers',
  open: async () => kafkaBackend((await starting).bootstrapServers),
  skip: { outage: 'one broker that goes is no outage: see below what happens then' },
}

transportConformance(cluster)
deliveryConformance(cluster)

const check = checks(cluster)

/** Longer than it takes until a dead broker is noticed, and its partitions have other leaders. */
const deadMs = 9_000

check(
  'P1 to P4, P6: with each broker killed in turn nothing is lost, done twice or out of order',
  async (bench) => {
    const brokers = await starting
    const worker = await bench.start({})
    const tasks = ['a', 'bb', 'c', 'dd']
    let said = 0
    const load = new AbortController()
    const saying = (async () => {
      while (!load.signal.aborted) {
        said += 1
        const step = String(said)
        await worker.running.transaction(async ({ publish }) => {
          for (const taskId of tasks) await publish('task.updated', { taskId, payload: { step } })
        })
        await sleep(20)
      }
    })()
    await worker.untilDone(tasks.length)
    for (const nodeId of brokers.nodeIds) {
      await brokers.kill(nodeId)
      await sleep(deadMs)
      await brokers.restart(nodeId)
      await brokers.settled()
    }
    load.abort()
    await saying
    const done = await worker.untilDone(said * tasks.length)
    const steps = Array.from({ length: said }, (_, index) => String(index + 1))
    for (const task of tasks) {
      const ofTask = done.filter((line) => line.startsWith(`${task} `))
      assert.deepEqual(
        ofTask,
        steps.map((step) => `${task} ${step}`),
      )
    }
    // Sends whose answer was lost were looked for before they were sent again.
    const read = [0, 1].map((partition) => {
      return bench.other.readFrom({ topic: bench.work.updated, partition }, 0n, done.length * 2)
    })
    const records = (await Promise.all(read)).flat()
    assert.equal(records.length, done.length)
    assert.deepEqual(await worker.running.deadLetters.list(), [])
  },
)

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Broker, startBroker } from '@millrace/broker'
import { KafkaInspector, readKafkaConfig } from '@millrace/kit'
import { catalogue } from './catalogue.ts'
import { system } from './system.ts'
import { outputInReadme, runScenario, type ScenarioRun } from './test/scenario-run.ts'

let broker: Broker
let run: ScenarioRun

before(async () => {
  broker = await startBroker({})
  run = await runScenario({ KAFKA_BROKERS: broker.bootstrap })
})
after(() => broker[Symbol.asyncDispose]())

test('a day in the life of DreamScape is what the README shows', async () => {
  assert.equal(run.output, await outputInReadme())
})

test('every topic has a record, and is heard by analytics and by another service', async () => {
  await using kafka = new KafkaInspector(readKafkaConfig({ KAFKA_BROKERS: broker.bootstrap }))
  const topics = await kafka.topics(catalogue.topics.map(({ topic }) => topic))
  assert.equal(topics.length, 32)
  for (const { topic, ranges } of topics) {
    assert.ok(
      ranges.some(({ start, end }) => end > start),
      `${topic} has no record`,
    )
    const eventType = topic.slice('dreamscape.'.length)
    const hearing = [...run.handled].filter((handled) => handled.endsWith(` ${eventType}`))
    assert.ok(hearing.length >= 2, `${topic} is heard by ${hearing.join(', ') || 'nobody'}`)
  }
})

for (const { service } of system.services) {
  test(`every handler of ${service.name} has handled an event`, () => {
    const waiting = [...service.handlers.keys()].filter(
      (eventType) => !run.handled.has(`${service.name} ${eventType}`),
    )
    assert.deepEqual(waiting, [])
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverVariable } from '@millrace/suites/servers'
import { outputInReadme, runScenario } from './test/scenario-run.ts'

test('on Apache Kafka 4.3 the day is the same', async () => {
  const { output } = await runScenario({ KAFKA_BROKERS: serverVariable('MILLRACE_KAFKA_4') })
  assert.equal(output, await outputInReadme())
})

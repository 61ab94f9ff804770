import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { outputInReadme, outputOn } from './test/scenario-output.ts'

test('a day in the life of the todo system is what the README shows', async () => {
  await using broker = await startBroker({})
  assert.equal(await outputOn(broker.bootstrap), await outputInReadme())
})

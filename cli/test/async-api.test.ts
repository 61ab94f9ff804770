// The AsyncAPI document of each system is valid by AsyncAPI's own schema.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import specification from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' }
import type { System } from '@millrace/kit'
import { asyncApiOf } from '@millrace/kit/evolution'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { findSystems } from '../src/host/find-systems.ts'

const ajv = new Ajv({ strict: false, allErrors: true, logger: false })
addFormats.default(ajv)
const isValid = ajv.compile(specification)

function documentOf({ title, services }: System) {
  const [first] = services
  assert.ok(first !== undefined)
  const { catalogue } = first.service
  return asyncApiOf(catalogue, {
    title,
    version: '1.0.0',
    services: services.map(({ service }) => service),
    servers: { development: 'localhost:9092' },
  })
}

const systems = await findSystems(undefined, import.meta.dirname)
for (const system of systems) {
  test(`${system.name}: its AsyncAPI document is valid`, () => {
    assert.ok(isValid(documentOf(system)), JSON.stringify(isValid.errors?.slice(0, 5), null, 2))
  })
}

test('the schema refuses a document that is not one', () => {
  const [system] = systems
  assert.ok(system !== undefined)
  assert.equal(isValid({ ...documentOf(system), channels: [] }), false)
})

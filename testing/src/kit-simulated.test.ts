// The kit under its own simulator: small schedules by the thousand.
import { test } from 'node:test'
import { soleServiceScenario } from '../test/orders.ts'
import { simulate } from './simulate.ts'

test('P1 to P7 hold for a service that hears itself, in 4,000 schedules', async () => {
  await simulate(soleServiceScenario, { schedules: 4_000 })
})

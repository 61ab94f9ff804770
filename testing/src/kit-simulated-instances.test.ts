// The kit under its own simulator: two services, of which one has two instances now and then.
import { test } from 'node:test'
import { ordersScenario, twoInstancesScenario } from '../test/orders.ts'
import { simulate } from './simulate.ts'

test('P1 to P7 hold between two services, in 700 schedules', async () => {
  await simulate(ordersScenario, { schedules: 700 })
})

test('P1 to P7 hold while partitions move between instances, in 300 schedules', async () => {
  await simulate(twoInstancesScenario, {
    schedules: 300,
    faults: ['crash', 'stop', 'pause', 'rebalance', 'forget-commits'],
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOutage } from '@millrace/kit'
import { ProviderClient } from '../services/payment/provider-client.ts'
import { startProvider } from './provider.ts'

const { signal } = new AbortController()
const charge = { key: 'p-1', amountCents: 100, card: '4242424242424242' }
const declined = { ...charge, key: 'p-2', card: '4000000000000002' }
const silent = { ...charge, key: 'p-3', card: '4000000000000119' }

test('a card is charged once for a key, declined, or left without an answer', async () => {
  await using provider = await startProvider({ port: 0 })
  const client = new ProviderClient(provider.url)
  const first = await client.charge(charge, signal)
  assert.deepEqual(first, { kind: 'charged', chargeId: 'charge-p-1' })
  assert.deepEqual(await client.charge(charge, signal), first)
  const refund = { key: 'e-1', amountCents: 40, chargeId: 'charge-p-1' }
  assert.equal(await client.refund(refund, signal), 'refund-e-1')
  assert.deepEqual(
    provider.state.entries.map(({ what, amountCents }) => [what, amountCents]),
    [
      ['refund', 40],
      ['charge', 100],
    ],
  )
  assert.deepEqual(await client.charge(declined, signal), {
    kind: 'declined',
    reason: 'the card is declined',
  })
  await assert.rejects(
    client.charge(silent, signal),
    (error) => !isOutage(error) && /does not answer within/.test(String(error)),
  )
  await fetch(`${provider.url}/silence/off`, { method: 'POST' })
  assert.equal((await client.charge(silent, signal)).kind, 'charged')
})

test('while it is down every question is an outage, and its switch still answers', async () => {
  await using provider = await startProvider({ port: 0 })
  const client = new ProviderClient(provider.url)
  const press = (path: string, headers = {}) =>
    fetch(`${provider.url}${path}`, { method: 'POST', headers })
  assert.equal((await press('/down', { 'sec-fetch-site': 'cross-site' })).status, 403)
  assert.deepEqual(await (await press('/down')).json(), { isUp: false, isSilent: true })
  await assert.rejects(client.charge(charge, signal), (error) => isOutage(error))
  assert.match(await (await fetch(provider.url)).text(), /<b class="down">down/)
  await press('/up')
  assert.equal((await client.charge(charge, signal)).kind, 'charged')
})

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startBroker } from '@millrace/broker'
import { system } from './system.ts'
import { readmeLines } from './test/readme-lines.ts'
import { type RunningDreamscape, startDreamscape } from './test/start-dreamscape.ts'

const cli = fileURLToPath(new URL('../../cli/bin/millrace.mjs', import.meta.url))
const hasCurl = spawnSync('curl', ['--version']).status === 0

/** The README's lines with the ports of this run, as a shell reads them that knows aliases. */
function asHere(lines: string, { urlOf, mailbox, provider }: RunningDreamscape): string {
  const places = new Map(
    system.services.map(({ service, port }) => [
      `http://localhost:${port}`,
      urlOf(service.name.replace(/^dreamscape-|-service$/g, '')),
    ]),
  )
  places.set('http://localhost:8026', mailbox.url)
  places.set('http://localhost:8027', provider.url)
  return lines
    .replaceAll(/http:\/\/localhost:\d+/g, (place) => places.get(place) ?? place)
    .replaceAll('npx millrace', `"${process.execPath}" "${cli}"`)
}

/** The JSON answers, in order, with what is another in each run left out. */
function answers(output: string): readonly string[] {
  const steady = output
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll(/"payBy":"[^"]+"/g, '"payBy":"…"')
  return [...steady.matchAll(/\{"(?:userId|flightId|paymentId|bookingId)":.*?\}/g)].map(
    ([one]) => one,
  )
}

/** Who said and heard what, sorted: times differ, and services race. */
function steps(chain: string): readonly string[] {
  return chain
    .split('\n')
    .map(
      (line) => /([\w.-]+ said by [\w-]+|[\w-]+: handled|effect \w+: done)/.exec(line)?.[1] ?? '',
    )
    .filter((step) => step !== '')
    .sort()
}

const trip = '"destination":"lisbon","flightId":"paris-lisbon","hotelId":"alfama","nights":3'
const oslo = '"destination":"oslo","flightId":"paris-oslo","hotelId":null,"nights":0'
const ids = '"paymentId":"payment-…","bookingId":"booking-…"'
const wanted = [
  '{"userId":"user-…","email":"john@example.com","firstName":"John","lastName":"Doe"}',
  '{"flightId":"paris-lisbon","from":"paris","destination":"lisbon","priceCents":18900,"seats":40}',
  '{"flightId":"berlin-lisbon","from":"berlin","destination":"lisbon","priceCents":20900,"seats":40}',
  '{"flightId":"paris-lisbon","hotelId":null,"nights":0}',
  '{"flightId":"paris-lisbon","hotelId":"alfama","nights":3}',
  `{${ids},"amountCents":45900,"status":"initiated"}`,
  `{"bookingId":"booking-…","status":"confirmed",${trip},"totalCents":45900,"payBy":"…","paymentId":"payment-…"}`,
  '{"flightId":"paris-oslo","hotelId":null,"nights":0}',
  `{${ids},"amountCents":21500,"status":"initiated"}`,
  `{"bookingId":"booking-…","status":"cancelled",${oslo},"totalCents":21500,"payBy":"…","paymentId":"payment-…","reason":"payment failed"}`,
]

test("the README's lines, pasted as they are, book a trip, fail one, and show both chains", {
  skip: hasCurl ? false : 'curl is not installed',
}, async () => {
  await using broker = await startBroker({})
  const env = { KAFKA_BROKERS: broker.bootstrap }
  await using dreamscape = await startDreamscape({ env })
  const { blocks, chain } = await readmeLines()
  const paste = (lines: string) =>
    promisify(execFile)('sh', ['-c', asHere(lines, dreamscape)], {
      env: { ...process.env, ...env },
    })
  const { stdout, stderr } = await paste(blocks.join('\n'))
  assert.equal(stderr, '')
  assert.deepEqual(answers(stdout), wanted)
  assert.match(stdout, /voyage\.booking\.cancelled said by dreamscape-voyage-service/)
  // The last mails may still have been on their way.
  let traced = steps(stdout)
  for (let turn = 0; traced.length !== steps(chain).length && turn < 10; turn += 1) {
    traced = steps((await paste('npx millrace trace my-trip')).stdout)
  }
  assert.deepEqual(traced, steps(chain))
})

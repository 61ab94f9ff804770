// DreamScape: its services, where they listen, and how they find each other.
import { randomBytes } from 'node:crypto'
import { type AddressOf, defineSystem } from '@millrace/kit'
import { startMailbox } from '@millrace/mail/mailbox'
import { startProvider } from './provider/provider.ts'
import { aiService } from './services/ai/ai-service.ts'
import { analyticsService } from './services/analytics/analytics-service.ts'
import { authService } from './services/auth/auth-service.ts'
import { notificationService } from './services/notification/notification-service.ts'
import { paymentService } from './services/payment/payment-service.ts'
import { userService } from './services/user/user-service.ts'
import { voyageService } from './services/voyage/voyage-service.ts'

/**
 * What the services show each other in development: made anew by each host, known to nobody
 * else. Where services run in several processes, SERVICE_TOKEN is set to the same for all.
 */
const serviceToken = randomBytes(32).toString('base64url')

const json = '-H "Content-Type: application/json"'
const asJohn = `-H "Authorization: Bearer $TOKEN" ${json}`
const plain = '-H "Accept: text/plain"'
const trip = '-H "X-Correlation-Id: my-trip"'

export const system = defineSystem({
  name: 'dreamscape',
  title: 'Trips: searched, booked, paid, confirmed, and cancelled when the payment fails',
  services: [
    { service: authService, port: 3001 },
    { service: userService, port: 3002 },
    { service: voyageService, port: 3003 },
    { service: paymentService, port: 3004 },
    { service: aiService, port: 3005 },
    { service: notificationService, port: 3006 },
    { service: analyticsService, port: 3007 },
  ],
  development: [
    {
      name: 'dreamscape-mailbox',
      title: 'Every e-mail, SMS and push message, and a switch to take the SMTP server down',
      ports: { http: 8026, smtp: 1026 },
      page: 'http',
      start: ({ http = 8026, smtp = 1026 }) => startMailbox({ http, smtp }),
    },
    {
      name: 'payment-provider',
      title: 'Charges cards, declines one, and a switch to take it down',
      ports: { http: 8027 },
      page: 'http',
      start: ({ http: port = 8027 }) => startProvider({ port }),
    },
  ],
  variables: (address) => ({
    AUTH_SERVICE_URL: address('dreamscape-auth-service'),
    VOYAGE_SERVICE_URL: address('dreamscape-voyage-service'),
    PAYMENT_PROVIDER_URL: address('payment-provider'),
    MESSAGE_GATEWAY_URL: address('dreamscape-mailbox'),
    SMTP_URL: `smtp://${address('dreamscape-mailbox', 'smtp')}`,
    SERVICE_TOKEN: serviceToken,
  }),
  tryFirst: (address) => [
    {
      text: `Register: 201, and a welcome mail at ${address('dreamscape-mailbox')}`,
      command: `curl ${address('dreamscape-user-service')}/users ${json} -d '${JSON.stringify(john)}'`,
    },
    {
      text: 'Log in, and keep the token for what follows',
      command: `TOKEN=$(curl -s ${plain} ${address('dreamscape-auth-service')}/auth/login ${json} -d '${login}')`,
    },
    { text: 'Search a trip, select and book it', command: bookLines(address).join('\n') },
    { text: 'Pay for it, and see it confirmed', command: payLines(address, goodCard).join('\n') },
    { text: 'See the whole chain, from the booking on', command: 'npx millrace trace my-trip' },
  ],
  failOnPurpose: (address) => [
    {
      text: 'Book again, and pay with a card that is declined: the booking is cancelled',
      command: [...bookLines(address), ...payLines(address, declinedCard)].join('\n'),
    },
    {
      text: 'Take the payment provider down: payments wait, nothing is parked',
      command: `curl -X POST ${address('payment-provider')}/down`,
    },
    { text: 'Bring it up again', command: `curl -X POST ${address('payment-provider')}/up` },
    {
      text: 'Pay with a card that gets no answer: after three attempts the payment is parked',
      command: [...bookLines(address), payLines(address, silentCard)[0]].join('\n'),
    },
    { text: 'See what is parked, and why', command: 'npx millrace dead-letters' },
    {
      text: 'Have such cards answered; give the payment to its handler again: it is confirmed',
      command: [
        `curl -X POST ${address('payment-provider')}/silence/off`,
        'npx millrace redrive --all',
      ].join('\n'),
    },
    {
      text: 'Take the SMTP server down: mails wait until it is up again (/smtp/up)',
      command: `curl -X POST ${address('dreamscape-mailbox')}/smtp/down`,
    },
  ],
})

const john = {
  email: 'john@example.com',
  password: 'a-long-password',
  firstName: 'John',
  lastName: 'Doe',
}
const login = JSON.stringify({ email: john.email, password: john.password })
const goodCard = '4242 4242 4242 4242'
const declinedCard = '4000 0000 0000 0002'
const silentCard = '4000 0000 0000 0119'

function bookLines(address: AddressOf): readonly string[] {
  const voyage = address('dreamscape-voyage-service')
  return [
    `curl "${voyage}/search?to=lisbon" ${asJohn}`,
    `curl ${voyage}/selections/flight ${asJohn} -d '{"flightId":"paris-lisbon"}'`,
    `BOOKING=$(curl -s ${plain} ${trip} -X POST ${voyage}/bookings -H "Authorization: Bearer $TOKEN")`,
  ]
}

function payLines(address: AddressOf, card: string): readonly string[] {
  const body = `"{\\"bookingId\\":\\"$BOOKING\\",\\"card\\":\\"${card}\\"}"`
  return [
    `curl ${trip} ${address('dreamscape-payment-service')}/payments ${asJohn} -d ${body}`,
    `curl -H "Prefer: wait=10" ${address('dreamscape-voyage-service')}/bookings/$BOOKING ${asJohn}`,
  ]
}

// The todo system: its services, where they listen, and how they find each other.
import { randomBytes } from 'node:crypto'
import { defineSystem } from '@millrace/kit'
import { startMailbox } from '@millrace/mail/mailbox'
import { authService } from './services/auth/auth-service.ts'
import { notificationService } from './services/notification/notification-service.ts'
import { taskService } from './services/task/task-service.ts'

/**
 * What the services show each other in development: made anew by each host, known to nobody
 * else. Where services run in several processes, SERVICE_TOKEN is set to the same for all.
 */
const serviceToken = randomBytes(32).toString('base64url')

const withToken = (rest: string) =>
  `curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" ${rest}`

export const system = defineSystem({
  name: 'todo',
  title: 'Tasks in teams; who created one, and who is to do it, hears of changes by e-mail',
  services: [
    { service: authService, port: 8084 },
    { service: taskService, port: 8085 },
    { service: notificationService, port: 8086 },
  ],
  development: [
    {
      name: 'mailbox',
      title: 'Every e-mail of the system, and a switch to take the SMTP server down',
      ports: { http: 8025, smtp: 1025 },
      page: 'http',
      start: ({ http = 8025, smtp = 1025 }) => startMailbox({ http, smtp }),
    },
  ],
  variables: (address) => ({
    AUTH_SERVICE_URL: address('auth-service'),
    SMTP_URL: `smtp://${address('mailbox', 'smtp')}`,
    SERVICE_TOKEN: serviceToken,
  }),
  tryFirst: (address) => [
    {
      text: `Register a user: 201, and a welcome mail at ${address('mailbox', 'http')}`,
      command:
        `curl -X POST ${address('auth-service')}/auth/register ` +
        `-H "Content-Type: application/json" ` +
        `-d '{"username":"test","email":"test@example.com","password":"pass"}'`,
    },
    {
      text: 'See the event, as every Kafka client sees it',
      command: 'npx millrace tail user.created',
    },
    {
      text: 'Log in, and keep the token for what follows',
      command:
        `TOKEN=$(curl -s ${address('auth-service')}/auth/login ` +
        `-H "Content-Type: application/json" -d '{"username":"test","password":"pass"}' ` +
        `| node -p 'JSON.parse(require("fs").readFileSync(0)).token')`,
    },
    {
      text: 'Make a team, and a task in it; complete the task: a mail says so',
      command: [
        withToken(`${address('task-service')}/teams -d '{"name":"Home"}'`),
        withToken(`${address('task-service')}/teams/1/tasks -d '{"title":"Buy milk"}'`),
        withToken(`-X PATCH ${address('task-service')}/tasks/1 -d '{"completed":true}'`),
      ].join('\n'),
    },
  ],
  failOnPurpose: (address) => [
    {
      text:
        'Take the SMTP server down, register somebody: the mail waits and nothing is lost. ' +
        'Bring it up again: the mail arrives',
      command: `curl -X POST ${address('mailbox', 'http')}/smtp/down`,
    },
    {
      text: 'Bring it up again',
      command: `curl -X POST ${address('mailbox', 'http')}/smtp/up`,
    },
    {
      text: 'Register somebody at refused.test, whose mail is refused for good: it is parked',
      command:
        `curl -X POST ${address('auth-service')}/auth/register ` +
        `-H "Content-Type: application/json" ` +
        `-d '{"username":"cat","email":"cat@refused.test","password":"pass"}'`,
    },
    { text: 'See what is parked, and why', command: 'npx millrace dead-letters' },
    {
      text: 'Let the mailbox take mail for refused.test from now on',
      command: `curl -X POST ${address('mailbox', 'http')}/refusals/off`,
    },
    {
      text: 'Give it to its handler again: the mail arrives',
      command: 'npx millrace redrive --all',
    },
  ],
})

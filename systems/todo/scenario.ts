// A day in the life of the todo system: its demonstration, and its test. It starts all of it in
// this process, talks to it over HTTP as users do, and prints what happens.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBroker } from '@millrace/broker'
import { KafkaInspector, readKafkaConfig, silentLog, startService } from '@millrace/kit'
import { type Mailbox, startMailbox } from '@millrace/mail/mailbox'
import { z } from 'zod'
import { readTopics } from './read-topics.ts'
import { authService } from './services/auth/auth-service.ts'
import { notificationService } from './services/notification/notification-service.ts'
import { taskService } from './services/task/task-service.ts'

export interface ScenarioOptions {
  /** Where Kafka is, with no topic of the todo system on it yet. */
  readonly brokers: string
  readonly say: (line: string) => void
  /** Where its services keep their rows. Default: SQLite files. */
  readonly databaseUrl?: string
}

export async function scenario(options: ScenarioOptions): Promise<void> {
  const { brokers, say } = options
  await using todo = await startTodo(options)
  const { mailbox, notification, asUser } = todo
  const then = storyteller(say, mailbox)
  /** Waits for so many dead letters, and prints those that are new. */
  const parked = async (letters: number): Promise<void> => {
    await until(async () => (await notification.deadLetters.list()).length === letters)
    for (const { eventType, key, reason } of (await notification.deadLetters.list()).slice(told)) {
      say(`  parked: ${eventType} of ${key}: ${reason}`)
    }
    told = letters
  }
  let told = 0

  const ann = asUser('ann')
  const ben = asUser('ben')
  const cat = asUser('cat')
  await then('ann registers', 1, () => ann.register('ann@example.com'))
  await then('ben registers', 1, () => ben.register('ben@example.com'))
  await then(
    'ann makes a team, takes ben in, and makes a task for him: no event, no mail',
    0,
    async () => {
      await ann.ask('POST', '/teams', { name: 'Home' })
      await ann.ask('POST', '/teams/1/members', { userId: 2 })
      await ann.ask('POST', '/teams/1/tasks', { title: 'Buy milk', assigneeId: 2 })
    },
  )
  await then('ann changes its title: she made it, it is his', 2, () =>
    ann.ask('PATCH', '/tasks/1', { title: 'Buy milk and bread' }),
  )
  await then('ben completes it', 2, () => ben.ask('PATCH', '/tasks/1', { completed: true }))
  await then('ben reopens it and renames it', 4, async () => {
    const before = mailbox.mails.length
    await ben.ask('PATCH', '/tasks/1', { completed: false })
    // Kafka keeps the order within a topic, and these are two.
    await mailbox.arrived(before + 2)
    await ben.ask('PATCH', '/tasks/1', { title: 'Buy oat milk' })
  })

  await then(
    'the SMTP server goes down; ann takes the task herself and is answered',
    0,
    async () => {
      await mailbox.takeDown()
      await ann.ask('PATCH', '/tasks/1', { assigneeId: 1 })
      await until(async () => (await notification.health()).consumer?.outages.length === 1)
    },
  )
  await then('the SMTP server is up again: one mail, for she is creator and assignee', 1, () =>
    mailbox.bringUp(),
  )

  await then('cat registers with an address that is refused for good', 0, async () => {
    await cat.register('cat@refused.test')
    await parked(1)
  })
  await then('she joins, makes a task, renames it and completes it: parked, too', 0, async () => {
    await ann.ask('POST', '/teams/1/members', { userId: 3 })
    await cat.ask('POST', '/teams/1/tasks', { title: 'Sweep' })
    await cat.ask('PATCH', '/tasks/2', { title: 'Sweep the floor' })
    await parked(2)
    await cat.ask('PATCH', '/tasks/2', { completed: true })
    await parked(3)
  })
  await then("ann's task is not held up by it", 1, () =>
    ann.ask('PATCH', '/tasks/1', { completed: true }),
  )
  await then('her address is accepted now; what is parked for her is redriven', 1, async () => {
    mailbox.refuse(false)
    await notification.deadLetters.redrive({ key: '3' })
  })
  await then('and what is parked of her task, in order', 2, () =>
    notification.deadLetters.redrive({ key: '2' }),
  )

  say('on the topics:')
  for (const line of await topicLines(brokers)) say(`  ${line}`)
}

/** Prints what happens, waits for so many mails, and prints them in the order of their arrival. */
function storyteller(say: ScenarioOptions['say'], mailbox: Mailbox) {
  let told = 0
  return async (what: string, mails: number, happen: () => Promise<unknown>): Promise<void> => {
    say(what)
    await inTime(what, happen())
    await inTime(`${what} (${mails} mails)`, mailbox.arrived(told + mails))
    const arrived = mailbox.mails.toReversed().slice(told)
    for (const { to, subject } of arrived) say(`  ${to.join()}: ${subject}`)
    told += arrived.length
  }
}

/** The values of all records, by topic, with the time left out, which is another each day. */
async function topicLines(brokers: string): Promise<readonly string[]> {
  await using kafka = new KafkaInspector(readKafkaConfig({ KAFKA_BROKERS: brokers }))
  const lines: string[] = []
  for (const topic of ['user.created', 'task.updated', 'task.completed']) {
    const records = await readTopics(kafka, [topic])
    lines.push(
      ...records
        .toSorted((one, other) => one.timestampMs - other.timestampMs)
        .map(({ value }) => new TextDecoder().decode(value ?? undefined))
        .map((json) => json.replace(/"timestamp":"[^"]+"/, '"timestamp":"…"')),
    )
  }
  return lines
}

async function startTodo({ brokers, databaseUrl = '' }: Omit<ScenarioOptions, 'say'>) {
  await using starting = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-todo-'))
  starting.defer(() => rm(directory, { recursive: true }))
  const mailbox = starting.use(await startMailbox({ http: 0, smtp: 0 }))
  const env = {
    KAFKA_BROKERS: brokers,
    DATABASE_URL: databaseUrl,
    SERVICE_TOKEN: 'of-the-scenario',
    SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
  }
  const options = { directory, log: silentLog }
  const auth = starting.use(await startService(authService, { ...options, env }))
  const [authUrl = ''] = auth.servers.flatMap(({ urls = [] }) => urls)
  const neighbours = { ...options, env: { ...env, AUTH_SERVICE_URL: authUrl } }
  const task = starting.use(await startService(taskService, neighbours))
  const [taskUrl = ''] = task.servers.flatMap(({ urls = [] }) => urls)
  const notification = starting.use(await startService(notificationService, neighbours))
  const asUser = (name: string) => new User({ authUrl, taskUrl, name })
  const running = starting.move()
  return { mailbox, notification, asUser, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Somebody with a name, and with a token after the registration. */
class User {
  readonly #at: { readonly authUrl: string; readonly taskUrl: string; readonly name: string }
  #token = ''

  constructor(at: { authUrl: string; taskUrl: string; name: string }) {
    this.#at = at
  }

  /** Registers and logs in. */
  async register(email: string): Promise<void> {
    const { authUrl, name: username } = this.#at
    await this.#send('POST', `${authUrl}/auth/register`, { username, email, password: 'pass' })
    const session = await this.#send('POST', `${authUrl}/auth/login`, { email, password: 'pass' })
    this.#token = z.object({ token: z.string() }).parse(session).token
  }

  /** Asks the task service. Rejects where it refuses. */
  ask(method: string, path: string, body: object): Promise<unknown> {
    return this.#send(method, `${this.#at.taskUrl}${path}`, body)
  }

  async #send(method: string, url: string, body: object): Promise<unknown> {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${method} ${url}: ${await response.text()}`)
    return response.json()
  }
}

/** A step takes a fraction of a second; one that takes this long would never end. */
const stepMsMax = 60_000

async function inTime(what: string, done: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const late = pause(stepMsMax, undefined, { signal: over.signal }).then(() => {
    throw new Error(`nothing happens any more at "${what}"`)
  })
  try {
    await Promise.race([done, late])
  } finally {
    over.abort()
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(50)
}

if (import.meta.main) {
  await using broker = await startBroker({})
  await scenario({ brokers: broker.bootstrap, say: console.log })
}

// Users who change their tasks, one request after another, whatever dies meanwhile.
import { setTimeout as pause } from 'node:timers/promises'
import { drawBetween } from '@millrace/suites/killing'
import { z } from 'zod'
import type { Said } from './checks.ts'

export interface LoadOptions {
  readonly authUrl: string
  readonly taskUrl: string
  readonly random: () => number
}

/** A service answers in milliseconds; one that does not answer in this time is broken. */
const answerMsMax = 15_000

/** Killed services are up again in a second or two. */
const recoveryMsMax = 60_000

const taskSchema = z.object({ taskId: z.int(), title: z.string(), completed: z.boolean() })

export type LoadedTask = z.infer<typeof taskSchema>

/**
 * Makes the requests of a team that share a few tasks, and keeps account of what was committed.
 *
 * R1. `said` has every committed change, in the order of each task: a request whose answer was
 *     lost is looked up afterwards, so that its fate is known.
 * R2. A task is changed by one worker at a time.
 */
export class Load {
  readonly said: Said[] = []
  readonly #options: LoadOptions
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = []
  #token = ''
  #requests = 0
  #users = 0

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** How many changes and registrations were asked for, the unanswered ones too. */
  get requests(): number {
    return this.#requests
  }

  /** Resolves when so many requests were sent. */
  sent(count: number): Promise<void> {
    if (this.#requests >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }

  /** Registers a creator and an assignee, and makes a team with `tasksMax` tasks. */
  async prepare(tasksMax: number): Promise<readonly LoadedTask[]> {
    const { authUrl, taskUrl } = this.#options
    await this.register()
    await this.register()
    const login = { username: 'user-1', password: 'pass' }
    const session = await this.#expect(`${authUrl}/auth/login`, { method: 'POST', body: login })
    this.#token = z.object({ token: z.string() }).parse(session).token
    await this.#expect(`${taskUrl}/teams`, { method: 'POST', body: { name: 'Kill' } })
    await this.#expect(`${taskUrl}/teams/1/members`, { method: 'POST', body: { userId: 2 } })
    const tasks: LoadedTask[] = []
    for (let number = 1; number <= tasksMax; number += 1) {
      // One in four has a second reader: more would only make the mails take longer.
      const assigneeId = number % 4 === 0 ? 2 : null
      const body = { title: `task ${number}`, assigneeId }
      const made = await this.#expect(`${taskUrl}/teams/1/tasks`, { method: 'POST', body })
      tasks.push(taskSchema.parse(made))
    }
    return tasks
  }

  /** Registers one more user. */
  async register(): Promise<void> {
    this.#count()
    this.#users += 1
    const username = `user-${this.#users}`
    const user = { username, email: `${username}@example.com` }
    const registration = { method: 'POST', body: { ...user, password: 'pass' } }
    const url = `${this.#options.authUrl}/auth/register`
    // Asked again after a lost answer, it says 409 where the first one was committed.
    const userId = await this.#untilAnswered(async () => {
      const answer = await this.#ask(url, registration)
      if (answer.status === 201) return z.object({ userId: z.int() }).parse(answer.body).userId
      if (answer.status !== 409) throw unexpected(url, answer)
      return this.#users
    })
    const payload = { email: user.email, username }
    this.said.push({ topic: 'user.created', key: userId, payload })
  }

  #count(): number {
    this.#requests += 1
    for (const { count, resolve } of this.#waiting) if (count <= this.#requests) resolve()
    return this.#requests
  }

  /** Changes a task in a way drawn by chance, and gives the task as it is then. */
  async change(task: LoadedTask): Promise<LoadedTask> {
    const { taskUrl, random } = this.#options
    const kind = drawBetween(random, 0, 4)
    const number = this.#count()
    const title = kind === 3 ? task.title : `request ${number}`
    const completed = kind < 2 ? task.completed : !task.completed
    const url = `${taskUrl}/tasks/${task.taskId}`
    let after: LoadedTask
    try {
      const answer = await this.#ask(url, { method: 'PATCH', body: { title, completed } })
      after = answer.status === 200 ? taskSchema.parse(answer.body) : await this.#look(url)
    } catch (error) {
      if (!isLost(error)) throw error
      after = await this.#look(url)
    }
    this.#account(task, after)
    return after
  }

  /** The task as the database has it, once the service answers again. */
  async #look(url: string): Promise<LoadedTask> {
    return this.#untilAnswered(async () =>
      taskSchema.parse(await this.#expect(url, { method: 'GET' })),
    )
  }

  #account(before: LoadedTask, { taskId, title, completed }: LoadedTask): void {
    if (title !== before.title) {
      this.said.push({ topic: 'task.updated', key: taskId, payload: { title, completed } })
    }
    if (completed !== before.completed) {
      this.said.push({ topic: 'task.completed', key: taskId, payload: { completed } })
    }
  }

  async #untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
    const deadlineMs = Date.now() + recoveryMsMax
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isLost(error) || Date.now() > deadlineMs) throw error
        await pause(50)
      }
    }
  }

  async #expect(url: string, request: Request): Promise<unknown> {
    const answer = await this.#ask(url, request)
    if (answer.status >= 300) throw unexpected(url, answer)
    return answer.body
  }

  async #ask(url: string, { method, body }: Request): Promise<Answer> {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerMsMax),
    })
    const answer: Answer = { status: response.status, body: await response.json() }
    // A service that starts may be ready before its neighbours are.
    if (answer.status === 503) throw new LostAnswer(`${url} answered 503`)
    return answer
  }
}

interface Request {
  readonly method: string
  readonly body?: object
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

class LostAnswer extends Error {}

/** The connection broke, or nothing listened: not a refusal, and not a time-out. */
function isLost(error: unknown): boolean {
  return error instanceof LostAnswer || (error instanceof TypeError && 'cause' in error)
}

function unexpected(url: string, { status, body }: Answer): Error {
  return new Error(`${url} answered ${status}: ${JSON.stringify(body)}`)
}

// Kills the broker, the services and both with SIGKILL at random points of a loop of requests,
// and then counts: what was committed, what lies on the topics, what arrived as mail.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { type Child, drawBetween, seededRandom, shuffled } from '@millrace/suites/killing'
import {
  type Heard,
  lostRecords,
  missingMails,
  repeatedEvents,
  repeatedMails,
  strayMails,
  topicProblems,
} from './kill/checks.ts'
import type { Load, LoadedTask } from './kill/load.ts'
import { openStage, type Stage } from './kill/stage.ts'
import { heardIn, lagOf } from './kill/topics.ts'
import { mailsInFlightMax } from './limits.ts'
import { readTopics } from './read-topics.ts'

export interface KillRoundsOptions {
  readonly rounds: number
  /** Requests of each round. */
  readonly requests: number
  /** Decides what is asked and what is killed when; the machine's own timing is not repeated. */
  readonly seed: number
  readonly say: (line: string) => void
}

/** Users who send requests at once. */
const workers = 8

/** Each worker changes tasks of its own. */
const tasksPerWorker = 4

/** One request in so many registers a user. */
const changesPerUser = 25

/** After the last kill everything that waits is heard within this time. */
const settledMsMax = 90_000

const eventTopics = ['user.created', 'task.updated', 'task.completed']

/** Runs rounds on one set of data. Rejects, after the first bad round, with what is wrong. */
export async function killRounds({
  rounds,
  requests,
  seed,
  say,
}: KillRoundsOptions): Promise<void> {
  const random = seededRandom(seed)
  await using stage = await openStage(random)
  let tasks = await stage.load.prepare(workers * tasksPerWorker)
  for (let round = 1; round <= rounds; round += 1) {
    const startedMs = Date.now()
    tasks = await runRound(stage, { tasks, random, requests })
    const summary = await checkAll(stage)
    say(`round ${round} of ${rounds}: ${summary}; ${Date.now() - startedMs} ms`)
  }
}

interface Round {
  readonly tasks: readonly LoadedTask[]
  readonly random: () => number
  readonly requests: number
}

/** Each of the three targets is killed once, in an order and at requests drawn by chance. */
async function runRound(stage: Stage, { tasks, random, requests }: Round): Promise<LoadedTask[]> {
  const { broker, services, load } = stage
  const lastRequest = load.requests + requests
  const targets = shuffled(random, [[broker], [services], [broker, services]])
  const killAt = targets
    .map(() => drawBetween(random, load.requests + 1, lastRequest))
    .sort((one, other) => one - other)
  const killing = killInTurn(load, { targets, killAt })
  const working = Array.from({ length: workers }, (_, worker) => {
    const own = tasks.slice(worker * tasksPerWorker, (worker + 1) * tasksPerWorker)
    return work(load, { own, random, lastRequest, registers: worker === 0 })
  })
  const [changed] = await Promise.all([Promise.all(working), killing])
  return changed.flat()
}

interface Kills {
  readonly targets: readonly (readonly Child[])[]
  /** The number of the request at which each target dies. */
  readonly killAt: readonly number[]
}

async function killInTurn(load: Load, { targets, killAt }: Kills): Promise<void> {
  for (const [index, target] of targets.entries()) {
    await load.sent(killAt[index] ?? 0)
    await Promise.all(target.map((child) => child.kill()))
    await Promise.all(target.map((child) => child.start()))
  }
}

interface Work {
  readonly own: readonly LoadedTask[]
  readonly random: () => number
  readonly lastRequest: number
  /** Whether this worker also registers users: one at a time, so that their numbers are known. */
  readonly registers: boolean
}

async function work(load: Load, { own, random, lastRequest, registers }: Work) {
  const tasks = [...own]
  while (load.requests < lastRequest) {
    const index = drawBetween(random, 0, tasks.length)
    const task = tasks[index]
    if (task) tasks[index] = await load.change(task)
    if (registers && drawBetween(random, 0, changesPerUser / workers) === 0) await load.register()
  }
  return tasks
}

/** Waits until all is heard, and counts. Gives the figures of the round in a line. */
async function checkAll(stage: Stage): Promise<string> {
  const { load, mailbox, kafka, producer, services, broker } = stage
  const heard = await settled(stage)
  const messageIds = mailbox.mails.map(({ messageId }) => messageId)
  const acknowledged = [...producer.acknowledged]
  const plain = await readTopics(kafka, [producer.topic])
  const found = plain.map(({ value }) => new TextDecoder().decode(value ?? undefined))
  assert.deepEqual(topicProblems(load.said, heard), [])
  assert.deepEqual(repeatedEvents(heard), [])
  assert.deepEqual(missingMails(heard, messageIds), [])
  assert.deepEqual(strayMails(heard, messageIds), [])
  assert.deepEqual(lostRecords(acknowledged, found), [])
  const repeated = repeatedMails(messageIds)
  assert.ok(
    repeated <= services.kills * mailsInFlightMax,
    `${repeated} mails came again after ${services.kills} kills`,
  )
  return (
    `${load.requests} requests, ${heard.length} events, ${messageIds.length} mails, ` +
    `${repeated} of them again; ${acknowledged.length} records acknowledged; ` +
    `${broker.kills} kills of the broker, ${services.kills} of the services`
  )
}

/** What lies on the topics once it is all that was said, is heard, and has its mails. */
async function settled({ load, mailbox, kafka }: Stage): Promise<readonly Heard[]> {
  const deadlineMs = Date.now() + settledMsMax
  for (;;) {
    const heard = (await readTopics(kafka, eventTopics)).map(heardIn)
    const messageIds = mailbox.mails.map(({ messageId }) => messageId)
    const isSettled =
      heard.length >= load.said.length &&
      missingMails(heard, messageIds).length === 0 &&
      (await lagOf(kafka, 'notification-service')) === 0n
    if (isSettled || Date.now() > deadlineMs) return heard
    await pause(500)
  }
}

// What must be true after the kills, as pure functions over what was asked, what lies on the
// topics, and what arrived in the mailbox. Each gives the problems that it finds, a line each.
import { messageIdOf } from '../services/notification/mails.ts'
import { readersOf } from '../services/notification/readers.ts'

/** What a committed request must have said: one event, in the order in which it was said. */
export interface Said {
  readonly topic: string
  /** The task or the user. */
  readonly key: number
  readonly payload: Readonly<Record<string, unknown>>
}

/** A record as it lies on a topic. */
export interface Heard extends Said {
  readonly eventId: string
  readonly creatorId: number
  readonly assigneeId: number | null
}

/** P1, P2: what lies on a topic for a key is what was committed, each once, in order. */
export function topicProblems(said: readonly Said[], heard: readonly Heard[]): string[] {
  const wanted = byKey(said)
  const found = byKey(heard)
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((key) => {
    const want = (wanted.get(key) ?? []).map(({ payload }) => JSON.stringify(payload))
    const have = (found.get(key) ?? []).map(({ payload }) => JSON.stringify(payload))
    if (want.join() === have.join()) return []
    const at = want.findIndex((payload, index) => payload !== have[index])
    const index = at === -1 ? want.length : at
    return [
      `${key}: ${have.length} events, not ${want.length}; at ${index} is ` +
        `${have[index] ?? 'nothing'}, not ${want[index] ?? 'the end'}`,
    ]
  })
}

/** An event is on its topic once. */
export function repeatedEvents(heard: readonly Heard[]): string[] {
  return [...counts(heard.map(({ eventId }) => eventId))]
    .filter(([, count]) => count > 1)
    .map(([eventId, count]) => `event ${eventId} is on its topic ${count} times`)
}

/** P3: for each event and person, a mail. */
export function missingMails(
  heard: readonly Heard[],
  messageIds: readonly string[],
): readonly string[] {
  const arrived = new Set(messageIds)
  return heard.flatMap(mailsOf).filter((messageId) => !arrived.has(messageId))
}

/** Mails that nobody should have got. */
export function strayMails(heard: readonly Heard[], messageIds: readonly string[]): string[] {
  const wanted = new Set(heard.flatMap(mailsOf))
  return messageIds.filter((messageId) => !wanted.has(messageId))
}

/** How many mails arrived again: each was in the window when its sender was killed. */
export function repeatedMails(messageIds: readonly string[]): number {
  return messageIds.length - new Set(messageIds).size
}

/** What a producer heard acknowledged is there. */
export function lostRecords(acknowledged: readonly string[], found: readonly string[]): string[] {
  const kept = new Set(found)
  return acknowledged.filter((value) => !kept.has(value))
}

function mailsOf({ topic, key, eventId, creatorId, assigneeId }: Heard): string[] {
  const readers =
    topic === 'user.created' ? [{ userId: key }] : readersOf({ creatorId, assigneeId })
  return readers.map(({ userId }) => messageIdOf(`${eventId}:email:user-${userId}`))
}

function byKey<One extends Said>(all: readonly One[]): Map<string, One[]> {
  return Map.groupBy(all, ({ topic, key }) => `${topic} ${key}`)
}

function counts(values: readonly string[]): Map<string, number> {
  const counted = new Map<string, number>()
  for (const value of values) counted.set(value, (counted.get(value) ?? 0) + 1)
  return counted
}

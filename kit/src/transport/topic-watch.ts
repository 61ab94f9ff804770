import { systemClock, type Timer } from '../clock.ts'
import { topicsWatchMs } from '../limits.ts'
import type { TopicDescription, TopicTrouble } from './transport.ts'

/** Topics as Kafka shows them now. */
export interface TopicSurvey {
  readonly topics: readonly TopicDescription[]
  /** Those that Kafka does not make or show, with what it says. */
  readonly refused: ReadonlyMap<string, string>
}

export interface TopicWatchOptions {
  readonly everyMs?: number
  /** Asks the cluster, and makes what is missing. */
  readonly survey: () => Promise<TopicSurvey>
  /** How many partitions the catalogue wants; undefined for a topic of others. */
  readonly wanted: (topic: string) => number | undefined
  readonly seen: (survey: TopicSurvey) => void
  /** All that is in trouble, when that changes. */
  readonly troubled: (troubles: readonly TopicTrouble[]) => void
}

/**
 * Looks now and then at the topics of a consumption: for those that Kafka refused before, and for
 * partitions that were added, of which a group is told by nobody else.
 */
export class TopicWatch implements Disposable {
  readonly #options: TopicWatchOptions
  #told = '[]'
  /** By topic id: a topic made again under its name is another one. */
  #first: ReadonlyMap<string, number> = new Map()
  #timer: Timer | null = null
  #isOver = false

  constructor(options: TopicWatchOptions) {
    this.#options = options
  }

  /** Looks now, and then again and again. Throws where the cluster does not answer now. */
  async start(): Promise<void> {
    await this.#look()
    this.#lookLater()
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  #lookLater(): void {
    if (this.#isOver) return
    // A cluster that does not answer now is asked again.
    const again = (): void => this.#lookLater()
    this.#timer = systemClock.after(this.#options.everyMs ?? topicsWatchMs, () => {
      this.#look().then(again, again)
    })
  }

  async #look(): Promise<void> {
    const survey = await this.#options.survey()
    if (this.#isOver) return
    const counts = survey.topics.map(({ topicId, partitions }) => [topicId, partitions] as const)
    this.#first = new Map([...counts, ...this.#first])
    const troubles = troublesOf(survey, this.#first, this.#options.wanted)
    const text = JSON.stringify(troubles)
    if (text !== this.#told) this.#options.troubled(troubles)
    this.#told = text
    this.#options.seen(survey)
  }
}

/** Refused topics, and those whose partitions are not as many as they were or should be. */
export function troublesOf(
  { topics, refused }: TopicSurvey,
  before: ReadonlyMap<string, number>,
  wanted: (topic: string) => number | undefined,
): readonly TopicTrouble[] {
  const differing = topics.flatMap(({ topic, topicId, partitions }): TopicTrouble[] => {
    const message = differenceIn(topic, {
      partitions,
      before: before.get(topicId) ?? partitions,
      wanted: wanted(topic) ?? partitions,
    })
    return message === null ? [] : [{ topic, kind: 'partitions-differ', message }]
  })
  const away = [...refused].map(([topic, message]): TopicTrouble => {
    return { topic, kind: 'refused', message }
  })
  return [...away, ...differing]
}

interface Counts {
  readonly partitions: number
  readonly before: number
  readonly wanted: number
}

function differenceIn(topic: string, { partitions, before, wanted }: Counts): string | null {
  if (partitions !== before) {
    return (
      `topic "${topic}" had ${before} partitions and has ${partitions} now: keys have moved, and ` +
      'an event from after may be handled before one of its key from before. Start the service ' +
      'anew once it has caught up'
    )
  }
  if (partitions === wanted) return null
  return (
    `topic "${topic}" has ${partitions} partitions, and the catalogue says ${wanted}: write ` +
    `${partitions} into the catalogue. Adding partitions instead would break the order per key`
  )
}

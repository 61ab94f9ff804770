import { partitionKey, type TopicPartition } from './transport.ts'

/**
 * Who reads what. Pure: the same members and topics are dealt alike wherever it runs.
 *
 * A1. Topics of one stream with as many partitions are dealt as one: the same number of all of
 *     them goes to one member, so that a key has one reader (P4).
 * A2. A stream is spread evenly, to one number more or less; then the members are.
 * A3. What need not move for A2 stays with whoever has it.
 * A4. Nothing has two readers: what another member still reads is dealt to nobody in this round.
 *     Who reads it finds it missing, finishes and asks for another round (KIP-429).
 */

export interface GroupMember {
  /** Orders the members. A static member's is its instance id, which outlives a restart. */
  readonly name: string
  readonly topics: readonly string[]
  /** What it reads now, by its own word, since this generation. */
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

export interface DealtTopics {
  /** How many partitions each topic has; one that is missing is dealt to nobody. */
  readonly counts: ReadonlyMap<string, number>
  /** The stream of a topic; one that is missing is a stream of its own. */
  readonly streams: ReadonlyMap<string, string>
}

/** By member name; every member has an entry. */
export type Deal = ReadonlyMap<string, readonly TopicPartition[]>

/** What each member is to read from this round on (A4). */
export function deal(members: readonly GroupMember[], topics: DealtTopics): Deal {
  const claims = newestClaims(members)
  const dealt = new Map(members.map(({ name }): [string, TopicPartition[]] => [name, []]))
  for (const [unit, reader] of target(members, topics)) {
    const places = placesOf(unit)
    const isFree = places.every((at) => {
      return (claims.get(partitionKey(at)) ?? []).every((name) => name === reader)
    })
    if (isFree) dealt.get(reader)?.push(...places)
  }
  return dealt
}

/** One number of the topics that are dealt as one (A1). */
interface Unit {
  /** Names the topics that are dealt as one. */
  readonly share: string
  readonly topics: readonly string[]
  readonly partition: number
  /** Members that may read it: they subscribe to all of its topics. */
  readonly readers: readonly string[]
}

/** Where everything is to be in the end. */
function target(members: readonly GroupMember[], topics: DealtTopics): ReadonlyMap<Unit, string> {
  const units = unitsOf(members, topics)
  const table = new Table(members.map(({ name }) => name).sort())
  const claims = newestClaims(members)
  for (const unit of units) {
    const reader = readerOf(unit, claims)
    if (reader !== null) table.give(unit, reader) // A3
  }
  for (const unit of units) {
    if (!table.readers.has(unit)) table.give(unit, table.poorest(unit.share, unit.readers))
  }
  const shares = Map.groupBy(units, ({ share }) => share)
  // Each move lessens the unevenness of A2, so there is a last one.
  while ([...shares].filter(([share, inShare]) => table.even(share, inShare)).length > 0);
  return table.readers
}

/** Who has what while it is dealt. */
class Table {
  readonly readers = new Map<Unit, string>()
  readonly #names: readonly string[]
  readonly #load = new Map<string, number>()
  readonly #inShare = new Map<string, number>()

  constructor(names: readonly string[]) {
    this.#names = names
  }

  give(unit: Unit, reader: string): void {
    const before = this.readers.get(unit)
    if (before !== undefined) this.#count(unit, before, -1)
    this.readers.set(unit, reader)
    this.#count(unit, reader, 1)
  }

  /** Has least of the share, then least of all; the first by name among equals. */
  poorest(share: string, readers: readonly string[]): string {
    const [name] = this.#names
      .filter((candidate) => readers.includes(candidate))
      .sort((a, b) => this.#compare(share, a, b))
    if (name === undefined) throw new Error(`nobody subscribes to ${share}`)
    return name
  }

  /** Moves one number of a share if that makes it more even, or the members (A2). */
  even(share: string, units: readonly Unit[]): boolean {
    const [first] = units
    if (first === undefined) return false
    const readers = this.#names.filter((name) => first.readers.includes(name))
    readers.sort((a, b) => this.#compare(share, a, b))
    const [poor] = readers
    const rich = readers.at(-1)
    if (poor === undefined || rich === undefined) return false
    const surplus = this.#shareOf(share, rich) - this.#shareOf(share, poor)
    const excess = this.#loadOf(rich) - this.#loadOf(poor)
    if (surplus < 1 || (surplus === 1 && excess <= first.topics.length)) return false
    const moved = units.findLast((unit) => this.readers.get(unit) === rich)
    if (moved === undefined) return false
    this.give(moved, poor)
    return true
  }

  #compare(share: string, a: string, b: string): number {
    const inShare = this.#shareOf(share, a) - this.#shareOf(share, b)
    return inShare === 0 ? this.#loadOf(a) - this.#loadOf(b) : inShare
  }

  #shareOf(share: string, name: string): number {
    return this.#inShare.get(`${share}\n${name}`) ?? 0
  }

  #loadOf(name: string): number {
    return this.#load.get(name) ?? 0
  }

  #count({ share, topics }: Unit, name: string, sign: 1 | -1): void {
    this.#load.set(name, this.#loadOf(name) + sign * topics.length)
    this.#inShare.set(`${share}\n${name}`, this.#shareOf(share, name) + sign)
  }
}

/** All that is to be dealt, in a fixed order. */
function unitsOf(members: readonly GroupMember[], { counts, streams }: DealtTopics): Unit[] {
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort()
  const dealt = topics.filter((topic) => (counts.get(topic) ?? 0) > 0)
  const together = Map.groupBy(dealt, (topic) => {
    return `${streams.get(topic) ?? topic}/${counts.get(topic)}`
  })
  return [...together].flatMap(([share, inShare]) => {
    const readers = subscribersOf(members, inShare)
    if (readers.length > 0) return unitsIn({ share, topics: inShare, readers }, counts)
    // Nobody can read them as one: while services of two versions run, say.
    return inShare.flatMap((topic) => {
      const alone = subscribersOf(members, [topic])
      return unitsIn({ share: `${share}/${topic}`, topics: [topic], readers: alone }, counts)
    })
  })
}

function unitsIn(
  share: Omit<Unit, 'partition'>,
  counts: ReadonlyMap<string, number>,
): readonly Unit[] {
  const length = counts.get(share.topics[0] ?? '') ?? 0
  return Array.from({ length }, (_, partition) => ({ ...share, partition }))
}

function subscribersOf(members: readonly GroupMember[], topics: readonly string[]): string[] {
  return members
    .filter((member) => topics.every((topic) => member.topics.includes(topic)))
    .map(({ name }) => name)
}

function placesOf({ topics, partition }: Unit): readonly TopicPartition[] {
  return topics.map((topic) => ({ topic, partition }))
}

/** Whoever reads most of it and may go on. */
function readerOf(unit: Unit, claims: ReadonlyMap<string, readonly string[]>): string | null {
  const claimed = placesOf(unit).flatMap((at) => claims.get(partitionKey(at)) ?? [])
  const counted = Map.groupBy(
    claimed.filter((name) => unit.readers.includes(name)),
    (name) => name,
  )
  const [most] = [...counted].sort(
    ([a, ofA], [b, ofB]) => ofB.length - ofA.length || (a < b ? -1 : 1),
  )
  return most?.[0] ?? null
}

/**
 * Who reads each partition, by `partitionKey`. A claim of an older generation than another's is
 * void: its member was away while the partition was dealt anew (KIP-792).
 */
function newestClaims(members: readonly GroupMember[]): ReadonlyMap<string, readonly string[]> {
  const claims = members.flatMap(({ name, generation, owned }) =>
    owned.map((at) => ({ key: partitionKey(at), name, generation })),
  )
  const newest = new Map<string, { generation: number; names: string[] }>()
  for (const { key, name, generation } of claims) {
    const known = newest.get(key)
    if (known === undefined || generation > known.generation) {
      newest.set(key, { generation, names: [name] })
    } else if (generation === known.generation) {
      known.names.push(name)
    }
  }
  return new Map([...newest].map(([key, { names }]) => [key, names]))
}

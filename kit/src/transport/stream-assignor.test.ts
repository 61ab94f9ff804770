import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type Deal, type DealtTopics, deal, type GroupMember } from './stream-assignor.ts'
import { partitionKey, type TopicPartition } from './transport.ts'

/** Members by name, each with its topics; all new unless `from` says what they read. */
function group(topics: Record<string, string[]>, from?: Deal): GroupMember[] {
  return Object.entries(topics).map(([name, subscribed]) => {
    const owned = from?.get(name) ?? []
    return { name, topics: subscribed, owned, generation: owned.length > 0 ? 1 : -1 }
  })
}

function topicsOf(counts: Record<string, number>, streams: Record<string, string> = {}) {
  return { counts: new Map(Object.entries(counts)), streams: new Map(Object.entries(streams)) }
}

/** Round after round, each member giving up what it does not get, until nothing moves. */
function settled(members: readonly GroupMember[], topics: DealtTopics): Deal {
  let dealt = deal(members, topics)
  let generation = 2
  for (; generation < 6; generation += 1) {
    const before = text(dealt)
    const now = members.map((member) => {
      return { ...member, owned: dealt.get(member.name) ?? [], generation }
    })
    dealt = deal(now, topics)
    if (text(dealt) === before) break
  }
  assert.ok(generation < 6, 'the rounds do not end')
  return dealt
}

function text(dealt: Deal): string {
  const lines = [...dealt].map(([name, places]) => {
    return `${name}: ${places.map(partitionKey).sort().join()}`
  })
  return lines.sort().join('; ')
}

const cases: readonly [string, GroupMember[], DealtTopics, string][] = [
  [
    'topics of one stream go together, number by number',
    group({ a: ['x', 'y'], b: ['x', 'y'] }),
    topicsOf({ x: 2, y: 2 }, { x: 's', y: 's' }),
    'a: x/0,y/0; b: x/1,y/1',
  ],
  [
    'topics of one stream with unlike counts cannot go together, and each is spread',
    group({ a: ['x', 'y'], b: ['x', 'y'] }),
    topicsOf({ x: 2, y: 1 }, { x: 's', y: 's' }),
    'a: x/0,y/0; b: x/1',
  ],
  [
    'what one share leaves over, another makes even',
    group({ a: ['x', 'y'], b: ['x', 'y'] }),
    topicsOf({ x: 1, y: 1 }),
    'a: x/0; b: y/0',
  ],
  [
    'a stream goes to who reads all of it, as long as versions differ',
    group({ old: ['x'], new: ['x', 'y'] }),
    topicsOf({ x: 2, y: 2 }, { x: 's', y: 's' }),
    'new: x/0,x/1,y/0,y/1; old: ',
  ],
  [
    'a stream that nobody reads whole is dealt topic by topic',
    group({ a: ['x'], b: ['y'] }),
    topicsOf({ x: 1, y: 1 }, { x: 's', y: 's' }),
    'a: x/0; b: y/0',
  ],
  ['a topic that is not there is dealt to nobody', group({ a: ['x'] }), topicsOf({}), 'a: '],
]
for (const [title, members, topics, want] of cases) {
  test(title, () => assert.equal(text(deal(members, topics)), want))
}

test('what moves is nobody’s for one round, together with all of its stream', () => {
  const topics = topicsOf({ x: 2, y: 2 }, { x: 's', y: 's' })
  const before = new Map([
    [
      'a',
      [
        { topic: 'x', partition: 0 },
        { topic: 'x', partition: 1 },
      ],
    ],
  ])
  // y is new, so nobody reads y/1 yet; but its key may still be handled where x/1 is read.
  const members = group({ a: ['x', 'y'], b: ['x', 'y'] }, before)
  assert.equal(text(deal(members, topics)), 'a: x/0,y/0; b: ')
  assert.equal(text(settled(members, topics)), 'a: x/0,y/0; b: x/1,y/1')
})

test('what was dealt while its reader was away is not taken back by an old claim', () => {
  const topics = topicsOf({ x: 1 })
  const owned = [{ topic: 'x', partition: 0 }]
  const members = [
    { name: 'away', topics: ['x'], owned, generation: 3 },
    { name: 'here', topics: ['x'], owned, generation: 4 },
  ]
  assert.equal(text(deal(members, topics)), 'away: ; here: x/0')
})

const arbitrary = fc.record({
  members: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }),
  topics: fc.uniqueArray(
    fc.record({
      topic: fc.constantFrom('t', 'u', 'v', 'w', 'x', 'y'),
      count: fc.integer({ min: 1, max: 7 }),
      stream: fc.constantFrom('one', 'two', 'three'),
    }),
    { minLength: 1, selector: ({ topic }) => topic },
  ),
})

test('everything has one reader, streams go together, and shares and members are even', () => {
  fc.assert(
    fc.property(arbitrary, ({ members, topics }) => {
      const names = topics.map(({ topic }) => topic)
      const all = Object.fromEntries(members.map((name) => [name, names]))
      const dealt = settled(group(all), topicsFrom(topics))
      assertComplete(dealt, topics)
      assertTogether(dealt, topics)
      assertEven(dealt, topics)
    }),
  )
})

test('a settled group stays as it is, and who goes leaves its part to the others', () => {
  fc.assert(
    fc.property(arbitrary, ({ members, topics }) => {
      const names = topics.map(({ topic }) => topic)
      const all = (of: readonly string[]) => Object.fromEntries(of.map((name) => [name, names]))
      const from = topicsFrom(topics)
      const before = settled(group(all(members)), from)
      assert.equal(text(deal(group(all(members), before), from)), text(before))
      const [gone, ...left] = members
      if (gone === undefined || left.length === 0) return
      const fewer = settled(group(all(left), before), from)
      assertComplete(fewer, topics)
      assertEven(fewer, topics)
    }),
  )
})

test('who comes to a group that reads one stream takes its part, and nobody else moves', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), (count, size) => {
      const names = Array.from({ length: size }, (_, index) => `member-${index}`)
      const all = (of: readonly string[]) => Object.fromEntries(of.map((name) => [name, ['x']]))
      const before = settled(group(all(names)), topicsOf({ x: count }))
      const after = settled(group(all([...names, 'z']), before), topicsOf({ x: count }))
      for (const name of names) assertWithin(after.get(name), before.get(name))
    }),
  )
})

test('who comes gets nothing that another still reads', () => {
  fc.assert(
    fc.property(arbitrary, ({ members, topics }) => {
      const names = topics.map(({ topic }) => topic)
      const all = (of: readonly string[]) => Object.fromEntries(of.map((name) => [name, names]))
      const before = settled(group(all(members)), topicsFrom(topics))
      const round = deal(group(all([...members, 'z']), before), topicsFrom(topics))
      const read = new Set([...before.values()].flat().map(partitionKey))
      assert.deepEqual(
        (round.get('z') ?? []).filter((at) => read.has(partitionKey(at))),
        [],
      )
    }),
  )
})

type Topics = readonly {
  readonly topic: string
  readonly count: number
  readonly stream: string
}[]

function topicsFrom(topics: Topics): DealtTopics {
  return {
    counts: new Map(topics.map(({ topic, count }) => [topic, count])),
    streams: new Map(topics.map(({ topic, stream }) => [topic, stream])),
  }
}

function assertComplete(dealt: Deal, topics: Topics): void {
  const want = topics.flatMap(({ topic, count }) =>
    Array.from({ length: count }, (_, partition) => partitionKey({ topic, partition })),
  )
  assert.deepEqual([...dealt.values()].flat().map(partitionKey).sort(), want.sort())
}

function assertTogether(dealt: Deal, topics: Topics): void {
  for (const places of dealt.values()) {
    for (const { stream, count } of topics) {
      const together = topics.filter((one) => one.stream === stream && one.count === count)
      const numbers = together.map(({ topic }) =>
        places.filter((at) => at.topic === topic).map(({ partition }) => partition),
      )
      for (const of of numbers) assert.deepEqual(new Set(of), new Set(numbers[0]))
    }
  }
}

function assertEven(dealt: Deal, topics: Topics): void {
  const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts)
  for (const { topic } of topics) {
    const counts = [...dealt.values()].map((places) => {
      return places.filter((at) => at.topic === topic).length
    })
    assert.ok(spread(counts) <= 1, `${topic} is spread ${counts.join()}`)
  }
  const shares = Map.groupBy(topics, ({ stream, count }) => `${stream}/${count}`)
  const widest = Math.max(...[...shares.values()].map(({ length }) => length))
  const loads = [...dealt.values()].map(({ length }) => length)
  assert.ok(spread(loads) <= widest, `members have ${loads.join()}`)
}

type Places = readonly TopicPartition[] | undefined

function assertWithin(part: Places, whole: Places): void {
  const has = new Set((whole ?? []).map(partitionKey))
  assert.deepEqual(
    (part ?? []).map(partitionKey).filter((key) => !has.has(key)),
    [],
  )
}

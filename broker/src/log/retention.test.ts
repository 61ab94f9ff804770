import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideRetention } from './retention.ts'

const NOW = 1_000_000
const forever = { retentionMs: -1, retentionBytes: -1 }

/** Segments of 100 bytes, by the age of their newest record, the growing one last. */
const aged = (...agesMs: readonly number[]) =>
  agesMs.map((ageMs) => ({ size: 100, newestAtMs: NOW - ageMs }))

const cases: readonly [
  name: string,
  segments: Parameters<typeof decideRetention>[0],
  config: Parameters<typeof decideRetention>[1],
  segmentsToDelete: number,
  closesActive: boolean,
][] = [
  ['nothing goes without a limit', aged(9000, 8000, 0), forever, 0, false],
  [
    'segments past retention.ms go',
    aged(9000, 8000, 10),
    { ...forever, retentionMs: 100 },
    2,
    false,
  ],
  [
    'a segment exactly at retention.ms stays',
    aged(100, 0),
    { ...forever, retentionMs: 100 },
    0,
    false,
  ],
  [
    'an old segment behind a younger one stays',
    aged(10, 9000, 0),
    { ...forever, retentionMs: 100 },
    0,
    false,
  ],
  [
    'the growing segment goes when it is past retention.ms, and is closed for that',
    aged(9000, 8000),
    { ...forever, retentionMs: 100 },
    2,
    true,
  ],
  [
    'a growing segment that is empty stays',
    [...aged(9000), { size: 0, newestAtMs: 0 }],
    { ...forever, retentionMs: 100 },
    1,
    false,
  ],
  [
    'segments go while retention.bytes are left without them',
    aged(0, 0, 0, 0),
    { ...forever, retentionBytes: 200 },
    2,
    false,
  ],
  [
    'a segment without which less than retention.bytes are left stays',
    aged(0, 0, 0, 0),
    { ...forever, retentionBytes: 201 },
    1,
    false,
  ],
  [
    'the growing segment never goes for its size',
    aged(0, 0),
    { ...forever, retentionBytes: 0 },
    1,
    false,
  ],
  [
    'either limit suffices',
    aged(9000, 0, 0, 0),
    { retentionMs: 100, retentionBytes: 200 },
    2,
    false,
  ],
]

for (const [name, segments, config, segmentsToDelete, closesActive] of cases) {
  test(name, () => {
    const decision = decideRetention(segments, config, NOW)
    assert.deepEqual(decision, { segmentsToDelete, closesActive })
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ROOT } from '../disk/disk.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import { seededRandom } from '../disk/seeded-random.ts'
import { readWhole } from '../disk/whole-file.ts'
import { encodeHeader, journalVersion } from './frames.ts'
import { Journal } from './journal.ts'

const text = new TextDecoder()
const bytes = (value: string) => new TextEncoder().encode(value)

/** A journal whose state is the list of its records, on a disk that a test can break. */
async function openJournal(disk: FaultyDisk, options: { bytesMax?: number; flush?: 'os' } = {}) {
  const state: string[] = []
  const reports: string[] = []
  const journal = await Journal.open({
    disk,
    path: 'journal',
    flush: 'ack',
    apply: (record) => state.push(text.decode(record)),
    snapshot: () => state.splice(0).map(keep(state)),
    report: (line) => reports.push(line),
    defer: queueMicrotask,
    ...options,
  })
  return { journal, state, reports }
}

/** The state of these tests only grows: its snapshot is itself. */
const keep = (state: string[]) => (record: string) => {
  state.push(record)
  return bytes(record)
}

const faultyDisk = () => new FaultyDisk({ now: () => 0 })
const names = (count: number) => Array.from({ length: count }, (_, index) => `record-${index}`)

describe('journal', () => {
  test('records are applied in order when appended, and again when opened', async () => {
    const disk = faultyDisk()
    const first = await openJournal(disk)
    const appended = first.journal.append([bytes('a'), bytes('b')])
    assert.deepEqual(first.state, ['a', 'b'])
    await Promise.all([appended, first.journal.append([bytes('')])])
    await first.journal.close()
    const second = await openJournal(disk)
    assert.deepEqual(second.state, ['a', 'b', ''])
  })

  test('what was acknowledged is there after a power cut, what was not may be gone', async () => {
    const disk = faultyDisk()
    const { journal } = await openJournal(disk)
    await journal.append([bytes('acknowledged')])
    journal.append([bytes('lost')]).catch(() => {})
    assert.deepEqual((await openJournal(disk.crash())).state, ['acknowledged'])
  })

  test('appends of one turn share a sync', async () => {
    let syncs = 0
    const disk = new FaultyDisk({ now: () => 0, syncDelay: async () => void syncs++ })
    const { journal } = await openJournal(disk)
    syncs = 0
    await Promise.all(names(100).map((name) => journal.append([bytes(name)])))
    assert.equal(syncs, 1)
  })

  test('a journal cut at any byte opens with a prefix of whole appends', async () => {
    const disk = faultyDisk()
    const { journal } = await openJournal(disk)
    const end = () => disk.open('journal').size
    const ends = [end()]
    for (const name of names(4)) {
      journal.append([bytes(name), bytes(`${name}, second`)]).catch(() => {})
      ends.push(end())
    }
    const whole = readWhole(disk, ROOT, 'journal') ?? new Uint8Array(0)
    for (let size = 0; size <= whole.length; size++) {
      const cut = faultyDisk()
      cut.open('journal').append([whole.subarray(0, size)])
      const { state, journal: reopened } = await openJournal(cut)
      assert.equal(
        state.length,
        2 *
          Math.max(
            0,
            ends.findLastIndex((at) => at <= size),
          ),
      )
      await reopened.append([bytes('next')])
      assert.equal((await openJournal(cut)).state.at(-1), 'next')
    }
  })

  test('a byte changed below what was durable refuses to open and leaves the file alone', async () => {
    const disk = faultyDisk()
    const { journal } = await openJournal(disk)
    for (const name of names(3)) await journal.append([bytes(name)])
    await journal.close()
    const whole = readWhole(disk, ROOT, 'journal') ?? new Uint8Array(0)
    const lastMark = whole.length - 17
    for (let at = 0; at < lastMark; at++) {
      const damaged = faultyDisk()
      damaged.open('journal').append([whole.with(at, (whole[at] ?? 0) ^ 0x10)])
      await assert.rejects(openJournal(damaged), {
        name: 'JournalError',
        code: 'damaged',
        message: /^faulty:\/journal is damaged at byte \d+, below byte \d+/,
      })
      assert.equal(damaged.open('journal').size, whole.length)
    }
  })

  test('a journal of a newer version is refused', async () => {
    const disk = faultyDisk()
    disk.open('journal').append([encodeHeader(journalVersion + 1)])
    await assert.rejects(openJournal(disk), { code: 'newer', message: /has format 2/ })
  })

  test('a full disk refuses the append, applies nothing, and takes appends again later', async () => {
    const disk = faultyDisk()
    const { journal, state } = await openJournal(disk)
    await journal.append([bytes('before')])
    disk.failNextWrite('full', 5)
    await assert.rejects(journal.append([bytes('refused')]), { code: 'full', retriable: true })
    await journal.append([bytes('after')])
    assert.deepEqual(state, ['before', 'after'])
    assert.deepEqual((await openJournal(disk.crash())).state, ['before', 'after'])
  })

  test('after a failed sync nothing is acknowledged any more', async () => {
    const disk = faultyDisk()
    const { journal, reports } = await openJournal(disk)
    disk.failNextSync()
    await assert.rejects(journal.append([bytes('a')]), { code: 'failed' })
    await assert.rejects(journal.append([bytes('b')]), { code: 'failed' })
    assert.match(reports.join('\n'), /takes no more: .*; check the disk/)
  })

  test('past its limit the file is rewritten, and keeps what came while it was', async () => {
    const disk = faultyDisk()
    const { journal, state } = await openJournal(disk, { bytesMax: 1000 })
    for (const name of names(7)) await journal.append([bytes(name.padEnd(100))])
    state.splice(0, state.length, 'all that is left')
    const x = journal.append([bytes('x'.padEnd(200))])
    state.splice(1, 1, 'x')
    await x
    assert.ok(disk.open('journal').size < 200)
    await journal.append([bytes('y')])
    assert.deepEqual((await openJournal(disk.crash())).state, ['all that is left', 'x', 'y'])
  })

  test('with flush "os" an append is done when it is written, and closing syncs it', async () => {
    const disk = faultyDisk()
    const { journal } = await openJournal(disk, { flush: 'os' })
    disk.ignoreSyncs(() => true)
    await journal.append([bytes('a')])
    disk.ignoreSyncs(() => false)
    await journal.close()
    assert.deepEqual((await openJournal(disk.crash())).state, ['a'])
  })
})

describe('a journal in power cuts', () => {
  /** Appends, cuts the power somewhere, opens again; the seeds that lost something acknowledged. */
  async function seedsThatLose(ignored: 'none' | 'file' | 'directory'): Promise<number[]> {
    const losing: number[] = []
    for (let seed = 1; seed <= 120; seed++) if (await loses(seed, ignored)) losing.push(seed)
    return losing
  }

  async function loses(seed: number, ignored: 'none' | 'file' | 'directory'): Promise<boolean> {
    const random = seededRandom(seed)
    let disk = new FaultyDisk({ now: () => 0, syncDelay: () => turns(Math.floor(random() * 4)) })
    disk.ignoreSyncs((sync) => sync.kind === ignored)
    const acknowledged: string[] = []
    let next = 0
    for (let life = 0; life < 3; life++) {
      try {
        const { journal, state } = await openJournal(disk, { bytesMax: 300 })
        if (!acknowledged.every((record) => state.includes(record))) return true
        for (let step = Math.floor(random() * 30); step > 0; step--) {
          const record = `${next++}`
          journal.append([bytes(record)]).then(
            () => acknowledged.push(record),
            () => {},
          )
          await turns(Math.floor(random() * 6))
        }
      } catch {
        return true
      }
      const before = [...acknowledged]
      disk = disk.crash(random() < 0.3 ? undefined : random)
      await turns(20)
      acknowledged.splice(0, acknowledged.length, ...before)
    }
    return false
  }

  test('nothing acknowledged is ever lost', async () => {
    assert.deepEqual(await seedsThatLose('none'), [])
  })

  for (const kind of ['file', 'directory'] as const) {
    test(`a disk that ignores syncs of a ${kind} is found to lose what was acknowledged`, async () => {
      assert.notDeepEqual(await seedsThatLose(kind), [])
    })
  }
})

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

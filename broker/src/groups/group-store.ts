// All groups, as the journal tells them and their clients have moved them on since.
//
// S1. Of a group the journal keeps its last settled state and its offsets, and replays them the
//     same way in which it applied them.
// S2. What is between two settled states (a round of joins) lives in memory only: after a restart
//     the members find the last settled generation, or join again.

import type { Disk } from '../disk/disk.ts'
import { Journal } from '../journal/journal.ts'
import type { FlushPolicy } from '../log/log-config.ts'
import { evolve, type GroupState, noGroup, type Settled } from './group.ts'
import { CommittedOffsets } from './offsets.ts'
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './records.ts'

export interface GroupStoreOptions {
  readonly disk: Disk
  readonly flush: FlushPolicy
  readonly report: (line: string) => void
}

export class Group {
  readonly groupId: string
  readonly offsets = new CommittedOffsets()
  state: GroupState = noGroup
  /** What the journal holds of the state. */
  settled: Settled | undefined

  constructor(groupId: string) {
    this.groupId = groupId
  }
}

export class GroupStore implements AsyncDisposable {
  readonly #groups: Map<string, Group>
  readonly #journal: Journal

  /** @throws JournalError when the journal is damaged or newer */
  static async open(options: GroupStoreOptions): Promise<GroupStore> {
    const groups = new Map<string, Group>()
    const journal = await Journal.open({
      ...options,
      path: 'journal/groups',
      apply: (bytes) => apply(groups, decodeGroupRecord(bytes)),
      snapshot: () => snapshotOf(groups.values()),
    })
    return new GroupStore(groups, journal)
  }

  private constructor(groups: Map<string, Group>, journal: Journal) {
    this.#groups = groups
    this.#journal = journal
  }

  get all(): Iterable<Group> {
    return this.#groups.values()
  }

  find(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  /** The group, made in memory when it is missing. */
  obtain(groupId: string): Group {
    return obtain(this.#groups, groupId)
  }

  /** Applies records at once; resolves when they are durable. Rejects with a JournalError. */
  append(records: readonly GroupRecord[]): Promise<void> {
    return this.#journal.append(records.map(encodeGroupRecord))
  }

  async close(): Promise<void> {
    await this.#journal.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** S1 */
function apply(groups: Map<string, Group>, record: GroupRecord): void {
  if (record.kind === 'deleted') {
    groups.delete(record.groupId)
    return
  }
  const group = obtain(groups, record.groupId)
  if (record.kind === 'settled') {
    group.settled = record.settled
    group.state = evolve(group.state, record.settled)
  } else {
    group.offsets.apply(record)
  }
}

function obtain(groups: Map<string, Group>, groupId: string): Group {
  const known = groups.get(groupId)
  if (known !== undefined) return known
  const group = new Group(groupId)
  groups.set(groupId, group)
  return group
}

function* snapshotOf(groups: Iterable<Group>): Generator<Uint8Array> {
  for (const { groupId, settled, offsets } of groups) {
    if (settled !== undefined) yield encodeGroupRecord({ kind: 'settled', groupId, settled })
    for (const record of offsets.snapshot(groupId)) yield encodeGroupRecord(record)
  }
}

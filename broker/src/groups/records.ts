// What the journal keeps of groups. The order of fields and the numbers of types are for ever.

import { array, bytes, int32, int64, nullableString, string } from '@millrace/wire'
import { encodeStateRecord, openStateRecord, stateRecord } from '../state-record.ts'
import type { Settled } from './group.ts'
import type { OffsetRecord } from './offsets.ts'

export type GroupRecord =
  | { readonly kind: 'settled'; readonly groupId: string; readonly settled: Settled }
  /** The group and everything that it committed are gone. */
  | { readonly kind: 'deleted'; readonly groupId: string }
  | OffsetRecord

const settledRecord = stateRecord({
  type: 0,
  name: 'group record',
  versions: [0, 0],
  shape: {
    groupId: string,
    protocolType: nullableString,
    generation: int32,
    protocolName: nullableString,
    leaderId: nullableString,
    atMs: int64,
    members: array({
      memberId: string,
      groupInstanceId: nullableString,
      clientId: string,
      clientHost: string,
      sessionTimeoutMs: int32,
      rebalanceTimeoutMs: int32,
      protocols: array({ name: string, metadata: bytes }),
      assignment: bytes,
    }),
  },
})

const deletedRecord = stateRecord({
  type: 1,
  name: 'deleted group record',
  versions: [0, 0],
  shape: { groupId: string },
})

const committedRecord = stateRecord({
  type: 2,
  name: 'committed offsets record',
  versions: [0, 0],
  shape: {
    groupId: string,
    atMs: int64,
    topics: array({
      name: string,
      partitions: array({
        partition: int32,
        offset: int64,
        leaderEpoch: int32,
        metadata: nullableString,
      }),
    }),
  },
})

const forgottenRecord = stateRecord({
  type: 3,
  name: 'forgotten offsets record',
  versions: [0, 0],
  shape: {
    groupId: string,
    topics: array({ name: string, partitions: array(int32) }),
  },
})

export function encodeGroupRecord(record: GroupRecord): Uint8Array {
  switch (record.kind) {
    case 'settled': {
      const { groupId, settled } = record
      return encodeStateRecord(settledRecord, { ...settled, groupId, atMs: BigInt(settled.atMs) })
    }
    case 'deleted':
      return encodeStateRecord(deletedRecord, record)
    case 'committed':
      return encodeStateRecord(committedRecord, { ...record, atMs: BigInt(record.atMs) })
    case 'forgotten':
      return encodeStateRecord(forgottenRecord, record)
    default:
      return record satisfies never
  }
}

/** @throws WireError for bytes that `encodeGroupRecord` did not make */
export function decodeGroupRecord(bytes: Uint8Array): GroupRecord {
  const { type, version, reader } = openStateRecord(bytes)
  switch (type) {
    case settledRecord.type: {
      const { groupId, ...value } = settledRecord.message.decode(reader, version)
      return {
        kind: 'settled',
        groupId,
        settled: { ...value, kind: 'settled', atMs: Number(value.atMs) },
      }
    }
    case deletedRecord.type:
      return { kind: 'deleted', ...deletedRecord.message.decode(reader, version) }
    case committedRecord.type: {
      const value = committedRecord.message.decode(reader, version)
      return { ...value, kind: 'committed', atMs: Number(value.atMs) }
    }
    case forgottenRecord.type:
      return { kind: 'forgotten', ...forgottenRecord.message.decode(reader, version) }
    default:
      throw new Error(`the journal of groups holds a record of the unknown type ${type}`)
  }
}

import { type Message, message, type VersionRange } from './message.ts'
import { Reader } from './reader.ts'
import {
  array,
  type InputOf,
  ignorable,
  int32,
  nullableBytes,
  nullableString,
  type Shape,
  since,
  string,
  type ValueOf,
  withDefault,
} from './schema.ts'
import { joined, Writer } from './writer.ts'

/*
 * What consumers of one group tell each other inside of JoinGroup and SyncGroup. The broker carries
 * it and does not look; only tools do, and an assignor.
 *
 * - v1 the partitions that a member holds, for cooperative rebalancing (KIP-429).
 * - v2 the generation in which it got them (KIP-792).
 * - v3 its rack (KIP-881).
 */

const versions: VersionRange = [0, 3]

/** What a member wants to read, and what it holds: the `metadata` of a protocol in JoinGroup. */
export const ConsumerSubscription = message({
  name: 'ConsumerProtocolSubscription',
  versions,
  flexibleSince: null,
  shape: {
    topics: array(string),
    userData: withDefault(nullableBytes, null),
    ownedPartitions: ignorable(since(1, array({ topic: string, partitions: array(int32) }))),
    generationId: ignorable(since(2, int32, -1)),
    rackId: ignorable(since(3, nullableString, null)),
  },
})

/** What a member shall read: the `assignment` in SyncGroup. */
export const ConsumerAssignment = message({
  name: 'ConsumerProtocolAssignment',
  versions,
  flexibleSince: null,
  shape: {
    assignedPartitions: array({ topic: string, partitions: array(int32) }),
    userData: withDefault(nullableBytes, null),
  },
})

/** The value with its version before it, as it stands inside of the group protocol. */
export function encodeVersioned<S extends Shape>(
  message: Message<S>,
  version: number,
  value: InputOf<S>,
): Uint8Array {
  const writer = new Writer()
  writer.int16(version)
  message.encode(writer, version, value)
  return joined(writer.encoded())
}

/**
 * A version that is newer than ours is read as the newest of ours, and the bytes after it are left
 * alone: newer versions only add fields at the end, and members of one group may differ in age.
 */
export function decodeVersioned<S extends Shape>(
  message: Message<S>,
  bytes: Uint8Array,
): { readonly version: number; readonly value: ValueOf<S> } {
  const reader = new Reader(bytes)
  const version = reader.int16()
  const known = Math.min(version, message.versions[1])
  return { version, value: message.decode(reader, known) }
}

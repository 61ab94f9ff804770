const encoder = new TextEncoder()

/**
 * By which a record's partition is chosen: murmur2 of its key's bytes, made positive, as Kafka's
 * own producer has it. Java and kafka-go (with its murmur2 balancer) put a key where we put it.
 */
export function keyHash(key: string): number {
  return murmur2(encoder.encode(key)) & 0x7fffffff
}

export function partitionOf(hash: number, partitions: number): number {
  return hash % partitions
}

const seed = 0x9747b28c
const multiplier = 0x5bd1e995

/** MurmurHash2 by Austin Appleby, 32 bits, with Kafka's seed. Signed, as in Java. */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tail = bytes.length & ~3
  let hash = seed ^ bytes.length
  for (let at = 0; at < tail; at += 4) {
    let word = Math.imul(view.getInt32(at, true), multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  let rest = 0
  for (let at = bytes.length - 1; at >= tail; at -= 1) rest = (rest << 8) | view.getUint8(at)
  if (tail < bytes.length) hash = Math.imul(hash ^ rest, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

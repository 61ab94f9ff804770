import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as holds, integer, property, uint8Array } from 'fast-check'
import { Frames } from './frames.ts'
import { arenaBytes, frameBytesMax, frameBytesMin } from './limits.ts'

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.byteLength)
  frame.writeInt32BE(body.byteLength)
  frame.set(body, 4)
  return frame
}

/** Takes all whole frames, copied, because they are views. */
function takeAll(frames: Frames): Buffer[] {
  const taken: Buffer[] = []
  for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
    taken.push(Buffer.from(frame))
  }
  return taken
}

test('however the bytes are cut, the frames are the same', () => {
  const body = uint8Array({ minLength: frameBytesMin, maxLength: 300 })
  holds(
    property(
      array(body, { maxLength: 20 }),
      array(integer({ min: 1, max: 500 }), { minLength: 1 }),
      (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map(framed))
        const frames = new Frames()
        const taken: Buffer[] = []
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = at + (cuts[cut % cuts.length] ?? 1)
          frames.feed(stream.subarray(at, end))
          taken.push(...takeAll(frames))
          at = end
        }
        assert.deepEqual(
          taken,
          bodies.map((bytes) => Buffer.from(bytes)),
        )
        assert.equal(frames.pendingBytes, 0)
      },
    ),
  )
})

test('a frame larger than the arena comes through, and the next one after it', () => {
  const large = Buffer.alloc(3 * arenaBytes, 7)
  const small = Buffer.alloc(20, 8)
  const frames = new Frames()
  const stream = Buffer.concat([framed(large), framed(small)])
  const taken: Buffer[] = []
  for (let at = 0; at < stream.length; at += 50_000) {
    frames.feed(stream.subarray(at, at + 50_000))
    taken.push(...takeAll(frames))
  }
  assert.deepEqual(taken, [large, small])
})

test('F2: a large length allocates nothing before its bytes have come', () => {
  const frames = new Frames()
  const length = Buffer.alloc(4)
  length.writeInt32BE(frameBytesMax)
  frames.feed(length)
  assert.equal(frames.next(), undefined)
  assert.ok(frames.space().buffer.byteLength <= arenaBytes)
})

test('F1: a frame is a view of the bytes that were read', () => {
  const frames = new Frames()
  const space = frames.space()
  space.set(framed(Buffer.from('12345678')))
  frames.filled(12)
  assert.equal(frames.next()?.buffer, space.buffer)
})

for (const length of [-1, 0, frameBytesMin - 1, frameBytesMax + 1, -2_147_483_648]) {
  test(`F3: a frame of ${length} bytes is an error`, () => {
    const frames = new Frames()
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    frames.feed(bytes)
    assert.throws(() => frames.next(), { name: 'WireError', code: 'malformed' })
  })
}

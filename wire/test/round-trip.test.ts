import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { WireInput } from '../src/codec.ts'
import { isFlexible } from '../src/message.ts'
import { Reader } from '../src/reader.ts'
import { WireError } from '../src/wire-error.ts'
import { joined, Writer } from '../src/writer.ts'
import { everyEdition, structOf } from './arbitrary.ts'

type Edition = ReturnType<typeof everyEdition> extends Generator<infer T> ? T : never

function encode({ message, version }: Edition, value: WireInput): Buffer {
  const writer = new Writer()
  message.encode(writer, version, value)
  return Buffer.from(joined(writer.encoded()))
}

function forEveryEdition(runs: number, check: (edition: Edition, value: WireInput) => void): void {
  for (const edition of everyEdition()) {
    const property = fc.property(structOf(edition.message.shape, edition.version), (value) => {
      check(edition, value)
    })
    fc.assert(property, { numRuns: runs })
  }
}

test('what is encoded comes back from decoding, for every message at every version', () => {
  forEveryEdition(25, (edition, value) => {
    const bytes = encode(edition, value)
    const reader = new Reader(bytes)
    const decoded = edition.message.decode(reader, edition.version)
    // fast-check makes objects without a prototype; only the content is compared.
    deepStrictEqual(decoded, plain(value))
    strictEqual(reader.remaining, 0)
    deepStrictEqual(encode(edition, decoded), bytes)
  })
})

test('bytes that end too early are a WireError, wherever they end', () => {
  forEveryEdition(2, (edition, value) => {
    const bytes = encode(edition, value)
    for (let length = 0; length < bytes.length; length++) {
      const reader = new Reader(bytes.subarray(0, length))
      throws(
        () => edition.message.decode(reader, edition.version),
        (error) => error instanceof WireError && error.code === 'truncated',
        `${edition.message.name} v${edition.version}, ${length} of ${bytes.length} bytes`,
      )
    }
  })
})

test('any bytes decode or are a WireError, and never anything else', () => {
  for (const { message, version } of everyEdition()) {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        message.decode(new Reader(bytes), version)
      } catch (error) {
        ok(error instanceof WireError, String(error))
      }
    })
    fc.assert(property, { numRuns: 25 })
  }
})

test('a tagged field that nobody here knows is passed over', () => {
  forEveryEdition(3, (edition, value) => {
    if (!isFlexible(edition.message.flexibleSince, edition.version)) return
    const bytes = encode(edition, value)
    // Without tagged fields of its own a flexible message ends with their count, which is 0.
    if (hasTaggedFields(edition)) return
    strictEqual(bytes.at(-1), 0)
    const unknown = Buffer.from([1, 0xe7, 0x07, 3, 0xff, 0xff, 0xff])
    const reader = new Reader(Buffer.concat([bytes.subarray(0, -1), unknown]))
    deepStrictEqual(edition.message.decode(reader, edition.version), plain(value))
    strictEqual(reader.remaining, 0)
  })
})

function hasTaggedFields({ message }: Edition): boolean {
  return Object.values(message.shape).some((spec) => 'tag' in spec && typeof spec.tag === 'number')
}

/** The same content in plain objects. */
function plain(value: WireInput): WireInput {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

/**
 * Frames that real clients sent and Apache Kafka 4.3.0 answered, without their length: librdkafka
 * 2.0.2 (kcat), kafkajs 2.2.4, @platformatic/kafka 2.12.1 and Kafka's Java client 4.3.0.
 */
import { ok, strictEqual } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import {
  type AnyApi,
  apis,
  checkCrc,
  compressionNames,
  joined,
  Reader,
  readBatch,
  readRequestHeader,
  readResponseHeader,
  recordsIn,
  requestHeaderVersion,
  responseHeaderVersion,
  Writer,
  writeRequestHeader,
  writeResponseHeader,
} from '../src/wire.ts'
import { fromHex } from './hex.ts'

const folder = join(import.meta.dirname, 'fixtures')

for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
  if (!path.endsWith('.hex')) continue
  const frame = fromHex(readFileSync(join(folder, path), 'utf8'))
  const match = /^(\d\d)-[^/]+\/\w+-v(\d+)\.(request|response)\.hex$/.exec(path)
  if (match === null) {
    test(`${path}: the batch is sound and its records can be read`, () =>
      readWholeBatch(path, frame))
    continue
  }
  const [, key, version, direction] = match
  const api = apis.find((candidate) => candidate.key === Number(key))
  ok(api !== undefined, path)
  test(`${path}: decoded and encoded again, the bytes are the same`, () => {
    const again =
      direction === 'request'
        ? requestAgain(api, frame)
        : responseAgain(api, Number(version), frame)
    strictEqual(again.toString('hex'), frame.toString('hex'))
  })
}

function requestAgain(api: AnyApi, frame: Buffer): Buffer {
  const reader = new Reader(frame)
  const header = readRequestHeader(reader)
  const version = header.apiVersion
  const flexible = api.flexibleSince !== null && version >= api.flexibleSince
  if (flexible) reader.skipTaggedFields()
  const body = api.request.decode(reader, version)
  strictEqual(reader.remaining, 0)
  const writer = new Writer()
  writeRequestHeader(writer, requestHeaderVersion(flexible), header)
  api.request.encode(writer, version, body)
  return Buffer.from(joined(writer.encoded()))
}

function responseAgain(api: AnyApi, version: number, frame: Buffer): Buffer {
  const flexible = api.flexibleSince !== null && version >= api.flexibleSince
  const headerVersion = responseHeaderVersion(api.key, flexible)
  const reader = new Reader(frame)
  const correlationId = readResponseHeader(reader, headerVersion)
  const body = api.response.decode(reader, version)
  strictEqual(reader.remaining, 0)
  const writer = new Writer()
  writeResponseHeader(writer, headerVersion, correlationId)
  api.response.encode(writer, version, body)
  return Buffer.from(joined(writer.encoded()))
}

function readWholeBatch(path: string, bytes: Buffer): void {
  const outcome = readBatch(bytes)
  ok(outcome.kind === 'batch', outcome.kind)
  const { batch } = outcome
  strictEqual(batch.bytes.byteLength, bytes.byteLength)
  strictEqual(checkCrc(batch), null)
  const compression = basename(path, '.hex').split('-')[1]
  strictEqual(compressionNames[batch.header.compressionType], compression)
  const values = [...recordsIn(batch)].map(({ value }) => Buffer.from(value ?? '').toString())
  strictEqual(values.length, batch.header.recordsCount)
  for (const value of values) ok(/hello|booking|invoice|^v\d$|^$/.test(value), value)
}

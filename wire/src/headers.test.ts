import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, packed } from '../test/hex.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './api.ts'
import { readRequestHeader } from './headers.ts'
import { Heartbeat } from './messages/12-heartbeat.ts'
import { ApiVersions } from './messages/18-api-versions.ts'
import { Reader } from './reader.ts'
import { type Encoded, joined } from './writer.ts'

function hex(frame: Encoded): string {
  return Buffer.from(joined(frame)).toString('hex')
}

function body(frame: Encoded): Reader {
  return new Reader(joined(frame).subarray(4))
}

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

test('a classic request has header v1: no tagged fields', () => {
  const frame = encodeRequest(Heartbeat, { apiVersion: 0, correlationId: 7, clientId: 'c' }, beat)
  strictEqual(hex(frame), packed('00000015 000c0000 00000007 000163 000167 00000001 00016d'))
})

test('a flexible request has header v2: the client id keeps its classic length', () => {
  const frame = encodeRequest(Heartbeat, { apiVersion: 4, correlationId: 7, clientId: 'c' }, beat)
  const header = '000c0004 00000007 000163 00'
  strictEqual(hex(frame), packed(`00000016 ${header} 0267 00000001 026d 00 00`))
})

test('a request is read in two steps: its header, then its body by the version it names', () => {
  const frame = encodeRequest(Heartbeat, { apiVersion: 4, correlationId: 7, clientId: null }, beat)
  const reader = body(frame)
  const header = readRequestHeader(reader)
  deepStrictEqual(header, { apiKey: 12, apiVersion: 4, correlationId: 7, clientId: null })
  const request = decodeRequest(Heartbeat, header.apiVersion, reader)
  deepStrictEqual(request, { ...beat, groupInstanceId: null })
})

test('tagged fields of a request header are passed over', () => {
  const header = '000c0004 00000007 ffff 01 0a 02 ffff'
  const reader = new Reader(fromHex(`${header} 0267 00000001 026d 00 00`))
  const { apiVersion } = readRequestHeader(reader)
  strictEqual(decodeRequest(Heartbeat, apiVersion, reader).memberId, 'm')
})

test('a flexible response has header v1', () => {
  const envelope = { apiVersion: 4, correlationId: 7 }
  const frame = encodeResponse(Heartbeat, envelope, { errorCode: 25 })
  strictEqual(hex(frame), packed('0000000c 00000007 00 00000000 0019 00'))
  deepStrictEqual(decodeResponse(Heartbeat, 4, body(frame)), {
    correlationId: 7,
    response: { throttleTimeMs: 0, errorCode: 25 },
  })
})

// KIP-511: who asks for a version that the broker does not know must be able to read the refusal.
test('the response of ApiVersions has header v0 in every version', () => {
  for (const apiVersion of [0, 3, 4]) {
    const envelope = { apiVersion, correlationId: 7 }
    const frame = encodeResponse(ApiVersions, envelope, { errorCode: 35, apiKeys: [] })
    strictEqual(hex(frame).slice(8, 20), packed('00000007 0023'))
    strictEqual(decodeResponse(ApiVersions, apiVersion, body(frame)).response.errorCode, 35)
  }
})

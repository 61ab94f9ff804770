import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type AnyApi,
  ApiVersions,
  apis,
  DescribeCluster,
  decodeResponse,
  errors,
  isFlexible,
  joined,
  Reader,
  requestHeaderVersion,
  Writer,
  writeRequestHeader,
} from '@millrace/wire'
import { clientOf, makeTopic, produce, startTestBroker } from '../test/test-broker.ts'
import { handlers, servedApis } from './router.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }

type Sample = Parameters<AnyApi['request']['encode']>[2]
type Spec = AnyApi['request']['shape'][string]

/** A value of that type, as small as it can be with one element in each list. */
function sampleOf(spec: Spec, version: number): Sample {
  switch (spec.kind) {
    case 'field':
      return sampleOf(spec.type, version)
    case 'nullable':
      return spec.type.kind === 'array' || version < spec.since
        ? sampleOf(spec.type, version)
        : null
    case 'array':
      return [sampleOf(spec.element, version)]
    case 'scalar':
      // `orders` is a topic, a group and whatever else has a name; acks=1 asks for a reply.
      if (spec.name === 'string') return 'orders'
      return spec.name === 'int16' ? 1 : spec.zero
    default:
      return structOf(spec, version)
  }
}

function structOf(shape: Record<string, Spec>, version: number): Sample {
  const present = Object.entries(shape).filter(
    ([, spec]) => spec.kind !== 'field' || (version >= spec.since && version <= spec.until),
  )
  return Object.fromEntries(present.map(([name, spec]) => [name, sampleOf(spec, version)]))
}

function sampleRequest(api: AnyApi, apiVersion: number): Uint8Array {
  const writer = new Writer()
  const flexible = isFlexible(api.flexibleSince, apiVersion)
  const header = { apiKey: api.key, apiVersion, correlationId: 5, clientId: 'sample' }
  writer.int32(0)
  writeRequestHeader(writer, requestHeaderVersion(flexible), header)
  api.request.encode(writer, apiVersion, structOf(api.request.shape, apiVersion))
  return withLength(joined(writer.encoded()))
}

/** A request of a version that nobody can encode. */
function unknownRequest(apiKey: number): Uint8Array {
  const writer = new Writer()
  writer.int32(0)
  writeRequestHeader(writer, 1, { apiKey, apiVersion: 99, correlationId: 5, clientId: null })
  return withLength(joined(writer.encoded()))
}

function withLength(bytes: Uint8Array): Uint8Array {
  const frame = Buffer.from(bytes)
  frame.writeInt32BE(frame.length - 4)
  return frame
}

describe('what is served', () => {
  test('keys grow down the list, and each is there once', () => {
    const keys = servedApis.map(({ key }) => key)
    assert.deepEqual(
      keys,
      [...new Set(keys)].sort((left, right) => left - right),
    )
  })

  test('ApiVersions tells just what is served', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    const { apiKeys } = await wire.ask(ApiVersions, 3, client)
    assert.deepEqual(
      apiKeys,
      servedApis.map(({ key, versions }) => ({
        apiKey: key,
        minVersion: versions[0],
        maxVersion: versions[1],
      })),
    )
  })

  test('what wire declares and the broker does not serve is SASL, which has no user yet', () => {
    const served = new Set(servedApis.map(({ key }) => key))
    const missing = apis.filter(({ key }) => !served.has(key)).map(({ name }) => name)
    assert.deepEqual(missing, ['SaslHandshake', 'SaslAuthenticate'])
  })

  for (const { api } of handlers) {
    const [first, last] = api.versions
    for (let version = first; version <= last; version++) {
      test(`${api.name} version ${version} is answered in its own form`, async () => {
        await using broker = await startTestBroker({ autoCreateTopics: false })
        await using wire = await clientOf(broker)
        await makeTopic(wire, 'orders')
        await produce(wire, 'orders', 'first')
        const reader = new Reader(await wire.askRaw(sampleRequest(api, version)))
        const correlationId = reader.int32()
        assert.equal(correlationId, 5)
        const flexible = isFlexible(api.flexibleSince, version)
        if (flexible && api.key !== ApiVersions.key) reader.skipTaggedFields()
        api.response.decode(reader, version)
        assert.equal(reader.remaining, 0)
      })
    }
  }
})

describe('versions that are not served', () => {
  test('an unknown version of ApiVersions is answered in v0, with the range (KIP-511)', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    const frame = await wire.askRaw(unknownRequest(ApiVersions.key))
    const { response } = decodeResponse(ApiVersions, 0, new Reader(frame))
    assert.equal(response.errorCode, errors.unsupportedVersion.code)
    const [minVersion, maxVersion] = ApiVersions.versions
    assert.deepEqual(response.apiKeys, [{ apiKey: ApiVersions.key, minVersion, maxVersion }])
    await wire.ask(ApiVersions, 3, client)
  })

  test('ApiVersions always has response header v0, which older clients can read', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    const frame = await wire.askRaw(sampleRequest(DescribeCluster, 0))
    assert.equal(frame.readInt8(4), 0, 'header v1 has tagged fields')
    await wire.ask(ApiVersions, 4, client)
  })

  for (const name of ['', 'a b', '-a', 'a.']) {
    test(`a client that calls itself "${name}" is refused (KIP-511)`, async () => {
      await using broker = await startTestBroker()
      await using wire = await clientOf(broker)
      const reply = await wire.ask(ApiVersions, 3, { ...client, clientSoftwareName: name })
      assert.equal(reply.errorCode, errors.invalidRequest.code)
    })
  }
})

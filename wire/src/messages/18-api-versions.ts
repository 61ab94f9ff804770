import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { array, boolean, ignorable, int16, int32, int64, since, string, tagged } from '../schema.ts'

/**
 * ApiVersions tells a client what the broker speaks; it is the first request of most. A version
 * that the broker does not know is answered in v0, with UNSUPPORTED_VERSION and the range of this
 * API (KIP-511). The response header is v0 in every version, the body is flexible from v3.
 *
 * - v1 throttle time.
 * - v3 flexible (KIP-482); the client's name and version (KIP-511); features (KIP-584).
 * - v4 features may begin at 0 (KIP-1022).
 */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleSince: 3,
  request: {
    clientSoftwareName: ignorable(since(3, string)),
    clientSoftwareVersion: ignorable(since(3, string)),
  },
  response: {
    errorCode: int16,
    apiKeys: array({
      apiKey: int16,
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: ignorable(since(1, int32)),
    supportedFeatures: ignorable(
      tagged(
        { tag: 0, since: 3 },
        array({
          name: string,
          minVersion: int16,
          maxVersion: int16,
        }),
      ),
    ),
    finalizedFeaturesEpoch: ignorable(tagged({ tag: 1, since: 3 }, int64, -1n)),
    finalizedFeatures: ignorable(
      tagged(
        { tag: 2, since: 3 },
        array({
          name: string,
          maxVersionLevel: int16,
          minVersionLevel: int16,
        }),
      ),
    ),
    zkMigrationReady: ignorable(tagged({ tag: 3, since: 3 }, boolean)),
  },
})

export type ApiVersionsRequest = RequestOf<typeof ApiVersions>
export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>

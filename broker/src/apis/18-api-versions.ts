// ApiVersions tells a client what the broker speaks: the router's list, nothing else.
//
// - An unknown version is answered in v0 with UNSUPPORTED_VERSION and the range of this API
//   (KIP-511), so that the client can ask again.
// - v3 clients say their name and version, which must look like one. No features are finalised.

import {
  ApiVersions,
  type ApiVersionsRequest,
  type Encoded,
  encodeResponse,
  errors,
} from '@millrace/wire'
import { handler } from '../handler.ts'

export const apiVersions = handler(ApiVersions, (request, { apiVersion, broker }) => {
  if (apiVersion >= 3 && !namesItself(request)) {
    return { errorCode: errors.invalidRequest.code, apiKeys: [] }
  }
  return {
    errorCode: errors.none.code,
    apiKeys: broker.apis.map(({ key, versions }) => ({
      apiKey: key,
      minVersion: versions[0],
      maxVersion: versions[1],
    })),
  }
})

/** The answer to a version that is not known. */
export function refuseApiVersions(correlationId: number): Encoded {
  const { key, versions } = ApiVersions
  const range = { apiKey: key, minVersion: versions[0], maxVersion: versions[1] }
  return encodeResponse(
    ApiVersions,
    { apiVersion: 0, correlationId },
    { errorCode: errors.unsupportedVersion.code, apiKeys: [range] },
  )
}

/** KIP-511: letters and digits, with dots and dashes inside. */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

function namesItself({ clientSoftwareName, clientSoftwareVersion }: ApiVersionsRequest): boolean {
  return softwareName.test(clientSoftwareName) && softwareName.test(clientSoftwareVersion)
}

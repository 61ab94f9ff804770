import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  boolean,
  ignorable,
  int8,
  int16,
  int32,
  nullable,
  nullableString,
  since,
  string,
  withDefault,
} from '../schema.ts'

/**
 * DescribeConfigs shows the configs of topics and brokers, and where each value comes from.
 *
 * - v1 sources and synonyms (KIP-226).
 * - v3 type and documentation (KIP-569).
 * - v4 flexible (KIP-482).
 *
 * Left out: v0, which Kafka 4 dropped.
 */
export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleSince: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: nullable(array(string)),
    }),
    includeSynonyms: boolean,
    includeDocumentation: since(3, boolean),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: nullableString,
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: nullableString,
        readOnly: boolean,
        configSource: withDefault(int8, -1),
        isSensitive: boolean,
        synonyms: array({
          name: string,
          value: nullableString,
          source: int8,
        }),
        configType: ignorable(since(3, int8)),
        documentation: ignorable(since(3, nullableString)),
      }),
    }),
  },
})

export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>

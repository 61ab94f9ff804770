// DescribeConfigs shows every config of topics and of the broker: value, default, source, synonyms.
//
// - v1 sources and synonyms. v3 types and documentation.

import {
  DescribeConfigs,
  type DescribeConfigsRequest,
  errors,
  type KafkaError,
  type ResponseInput,
} from '@millrace/wire'
import { describeBroker } from '../broker-configs.ts'
import { type BrokerParts, nodeId } from '../broker-parts.ts'
import { handler } from '../handler.ts'
import { resourceTypes } from '../resource-types.ts'
import type { DescribedConfig } from '../topics/config.ts'
import { configTypes } from '../topics/config-values.ts'

type Result = ResponseInput<typeof DescribeConfigs>['results'][number]
type Resource = DescribeConfigsRequest['resources'][number]
type ConfigResponse = Result['configs'][number]

export const describeConfigs = handler(DescribeConfigs, (request, { broker }) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) => describe(resource, request, broker)),
}))

function describe(
  resource: Resource,
  request: DescribeConfigsRequest,
  broker: BrokerParts,
): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  const found = configsOf(resource, broker)
  if (found.kind === 'refused') {
    return {
      errorCode: found.error.code,
      errorMessage: found.message,
      resourceType,
      resourceName,
      configs: [],
    }
  }
  const asksForAll = configurationKeys === null || configurationKeys.length === 0
  const wanted = found.configs.filter(({ name }) => asksForAll || configurationKeys.includes(name))
  return {
    errorCode: errors.none.code,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: wanted.map((config) => responseOf(config, request)),
  }
}

type Found =
  | { readonly kind: 'found'; readonly configs: readonly DescribedConfig[] }
  | { readonly kind: 'refused'; readonly error: KafkaError; readonly message: string }

function configsOf({ resourceType, resourceName }: Resource, broker: BrokerParts): Found {
  switch (resourceType) {
    case resourceTypes.topic: {
      const topic = broker.topics.byName(resourceName)
      if (topic !== undefined) {
        return { kind: 'found', configs: broker.topics.configs.resolveAll(topic.configs) }
      }
      const message = `there is no topic "${resourceName}"`
      return { kind: 'refused', error: errors.unknownTopicOrPartition, message }
    }
    case resourceTypes.broker: {
      if (resourceName === String(nodeId)) return { kind: 'found', configs: describeBroker(broker) }
      // The empty name stands for what all brokers of a cluster have in common: nothing is set.
      if (resourceName === '') return { kind: 'found', configs: [] }
      const message = `there is no broker "${resourceName}": the only one is ${nodeId}`
      return { kind: 'refused', error: errors.invalidRequest, message }
    }
    default: {
      const message = `resources of type ${resourceType} have no configs here`
      return { kind: 'refused', error: errors.invalidRequest, message }
    }
  }
}

function responseOf(config: DescribedConfig, request: DescribeConfigsRequest): ConfigResponse {
  const { name, value, source, isReadOnly, synonyms, type, documentation } = config
  return {
    name,
    value,
    readOnly: isReadOnly,
    configSource: source,
    isSensitive: false,
    synonyms: request.includeSynonyms ? synonyms : [],
    configType: configTypes[type],
    documentation: request.includeDocumentation ? documentation : null,
  }
}

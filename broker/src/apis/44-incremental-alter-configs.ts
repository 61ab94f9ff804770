// IncrementalAlterConfigs changes single configs of topics (KIP-339): sets them, takes them away,
// appends to a list or subtracts from it. A resource is changed wholly or not at all.
//
// - Not here: configs of the broker, which are set when it starts.

import {
  errors,
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type KafkaError,
  type ResponseInput,
} from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import { handler } from '../handler.ts'
import { resourceTypes } from '../resource-types.ts'
import { configProblem } from '../topics/config.ts'
import { topicConfigByName } from '../topics/config-definitions.ts'
import { listItems } from '../topics/config-values.ts'
import type { ConfigChanges } from '../topics/records.ts'
import type { Topic } from '../topics/topic.ts'

type Result = ResponseInput<typeof IncrementalAlterConfigs>['responses'][number]
type Resource = IncrementalAlterConfigsRequest['resources'][number]
type Change = Resource['configs'][number]

const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export const incrementalAlterConfigs = handler(
  IncrementalAlterConfigs,
  async (request, { broker }) => {
    const responses: Result[] = []
    for (const resource of request.resources) {
      const problem = await alter(resource, broker, request.validateOnly)
      responses.push({
        errorCode: problem?.error.code ?? errors.none.code,
        errorMessage: problem?.message ?? null,
        resourceType: resource.resourceType,
        resourceName: resource.resourceName,
      })
    }
    return { throttleTimeMs: 0, responses }
  },
)

interface Problem {
  readonly error: KafkaError
  readonly message: string
}

async function alter(
  { resourceType, resourceName, configs }: Resource,
  broker: BrokerParts,
  validateOnly: boolean,
): Promise<Problem | undefined> {
  if (resourceType !== resourceTypes.topic) {
    const message = 'only the configs of topics can be changed while the broker runs'
    return { error: errors.invalidRequest, message }
  }
  const topic = broker.topics.byName(resourceName)
  if (topic === undefined) {
    const message = `there is no topic "${resourceName}"`
    return { error: errors.unknownTopicOrPartition, message }
  }
  const changes = changesOf(topic, configs, broker)
  if (changes.kind === 'refused') return changes.problem
  if (validateOnly) return undefined
  try {
    await broker.topics.configure(resourceName, changes.changes)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    broker.report(`configs of topic "${resourceName}" could not be changed: ${message}`)
    return { error: errors.kafkaStorageError, message }
  }
}

type Changes =
  | { readonly kind: 'checked'; readonly changes: ConfigChanges }
  | { readonly kind: 'refused'; readonly problem: Problem }

function changesOf(topic: Topic, configs: readonly Change[], broker: BrokerParts): Changes {
  const changes = new Map<string, string | null>()
  for (const config of configs) {
    const { name, configOperation } = config
    const refused = (message: string): Changes => ({
      kind: 'refused',
      problem: { error: errors.invalidConfig, message },
    })
    if (changes.has(name)) return refused(`the request names topic config "${name}" twice`)
    if (configOperation === operations.delete) {
      if (!topicConfigByName.has(name)) return refused(`unknown topic config "${name}"`)
      changes.set(name, null)
      continue
    }
    const inForce = broker.topics.configs.valueOf(name, topic.configs)
    const value = valueAfter(config, inForce)
    if (value === undefined) {
      return refused(`operation ${configOperation} does not apply to topic config "${name}"`)
    }
    const problem = configProblem(name, value)
    if (problem !== undefined) return refused(problem)
    changes.set(name, value)
  }
  return { kind: 'checked', changes }
}

/** `undefined` when the operation is none, or one of lists on something else. */
function valueAfter(
  { name, configOperation, value }: Change,
  inForce: string,
): string | null | undefined {
  if (configOperation === operations.set) return value
  if (topicConfigByName.get(name)?.value.type !== 'list') return undefined
  const items = listItems(inForce)
  const named = listItems(value ?? '')
  if (configOperation === operations.append) return [...new Set([...items, ...named])].join()
  if (configOperation === operations.subtract) {
    return items.filter((item) => !named.includes(item)).join()
  }
  return undefined
}

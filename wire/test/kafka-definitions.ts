/**
 * Kafka's own definitions of its messages, read from its client jar, and what is declared here,
 * both brought into one plain form: for a message at a version, a line for each field.
 */
import type { WireValue } from '../src/codec.ts'
import { ConsumerAssignment, ConsumerSubscription } from '../src/consumer-protocol.ts'
import { defaultOf } from '../src/defaults.ts'
import { keptVersions } from '../src/kept-versions.ts'
import type { AnyMessage, VersionRange } from '../src/message.ts'
import { type Field, isShape, type Shape, type Type } from '../src/schema.ts'
import { apis } from '../src/wire.ts'
import { readJar } from './jar.ts'

const folder = 'common/message/'

/** What differs between the declarations and Kafka's, a line each; nothing when all is well. */
export function compareWithKafka(jarPath: string): string[] {
  const files = readJar(jarPath, (name) => name.startsWith(folder) && name.endsWith('.json'))
  if (files.size === 0) return [`${jarPath} holds no ${folder}*.json`]
  const problems: string[] = []
  for (const api of apis) {
    for (const [message, suffix] of [
      [api.request, 'Request'],
      [api.response, 'Response'],
    ] as const) {
      const definition = definitionOf(files, `${api.name}${suffix}`)
      if (definition.apiKey !== api.key) {
        problems.push(`${message.name}: has the key ${api.key}, Kafka's is ${definition.apiKey}`)
      }
      problems.push(...compareMessage(message, definition, keptOf(api.name)))
    }
  }
  for (const message of [ConsumerSubscription, ConsumerAssignment]) {
    problems.push(...compareMessage(message, definitionOf(files, message.name), null))
  }
  return problems
}

interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly ignorable?: boolean
  readonly fields?: readonly KafkaField[]
}

interface KafkaDefinition {
  readonly apiKey?: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly KafkaField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: KafkaField[] }[]
}

function definitionOf(files: ReadonlyMap<string, string>, name: string): KafkaDefinition {
  const text = files.get(`${folder}${name}.json`)
  if (text === undefined) throw new Error(`Kafka has no message ${name}`)
  const definition: KafkaDefinition = JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ''))
  return definition
}

function keptOf(api: string): VersionRange | null {
  return keptVersions.find((kept) => kept.api === api)?.versions ?? null
}

function compareMessage(
  message: AnyMessage,
  definition: KafkaDefinition,
  kept: VersionRange | null,
): string[] {
  const problems: string[] = []
  const valid = rangeOf(definition.validVersions)
  const newest = definition.latestVersionUnstable ? valid[1] - 1 : valid[1]
  const [first, last] = message.versions
  if (last > newest) problems.push(`${message.name}: goes to v${last}, Kafka to v${newest}`)
  const lowest = kept === null ? valid[0] : kept[0]
  if (first < lowest) problems.push(`${message.name}: begins at v${first}, Kafka at v${lowest}`)
  if (kept !== null && kept[1] !== valid[0] - 1) {
    problems.push(`${message.name}: keeps versions to v${kept[1]}, Kafka begins at v${valid[0]}`)
  }
  const flexibleSince =
    definition.flexibleVersions === 'none' ? null : rangeOf(definition.flexibleVersions)[0]
  if (message.flexibleSince !== flexibleSince) {
    problems.push(`${message.name}: flexible from ${message.flexibleSince}, not ${flexibleSince}`)
  }
  for (let version = Math.max(first, valid[0]); version <= Math.min(last, newest); version++) {
    const ours = new Set(linesOfShape(message.shape, version))
    const theirs = new Set(linesOfKafka(definition, version, message.versions))
    const at = `${message.name} v${version}`
    for (const line of theirs.difference(ours)) problems.push(`${at}: Kafka has  ${line}`)
    for (const line of ours.difference(theirs)) problems.push(`${at}: only here  ${line}`)
  }
  return problems
}

/** One field at one version, whoever declared it. */
interface Line {
  readonly path: string
  readonly present: boolean
  /** Where it stands among the fields of its struct that are present and not tagged. */
  readonly place: number
  readonly type: string
  readonly nullable: boolean
  readonly tag: number | null
  readonly fallback: string
  readonly ignorable: boolean
}

function textOf(line: Line): string {
  if (!line.present) {
    const whenSet = line.ignorable ? 'dropped when set' : 'an error when set'
    return `${line.path}: absent, else ${line.fallback}, ${whenSet}`
  }
  const place = line.tag === null ? `field ${line.place}` : `tag ${line.tag}`
  const nullable = line.nullable ? ' or null' : ''
  return `${line.path}: ${place}, ${line.type}${nullable}, else ${line.fallback}`
}

function linesOfShape(shape: Shape, version: number, above = ''): string[] {
  const lines: string[] = []
  let place = 0
  for (const [name, spec] of Object.entries(shape)) {
    const path = `${above}${name}`
    const field = isField(spec) ? spec : null
    const type = isField(spec) ? spec.type : spec
    const present = field === null || (version >= field.since && version <= field.until)
    const tag = field?.tag ?? null
    if (present && tag === null) place++
    const { text, inner, nullable } = describe(type, version)
    const fallback = isShape(type) ? 'its defaults' : valueText(defaultOf(spec))
    const ignorable = field?.ignorable ?? false
    lines.push(textOf({ path, present, place, type: text, nullable, tag, fallback, ignorable }))
    if (present && inner !== null) lines.push(...linesOfShape(inner, version, `${path}.`))
  }
  return lines
}

function describe(
  type: Type,
  version: number,
): { readonly text: string; readonly inner: Shape | null; readonly nullable: boolean } {
  if (isShape(type)) return { text: 'struct', inner: type, nullable: false }
  if (type.kind === 'nullable') {
    return { ...describe(type.type, version), nullable: version >= type.since }
  }
  if (type.kind === 'scalar') return { text: type.name, inner: null, nullable: false }
  const element = describe(type.element, version)
  return { text: `array of ${element.text}`, inner: element.inner, nullable: false }
}

function linesOfKafka(
  { fields, commonStructs = [] }: KafkaDefinition,
  version: number,
  declared: VersionRange,
): string[] {
  const structs = new Map(commonStructs.map((struct) => [struct.name, struct.fields]))

  function walk(fields: readonly KafkaField[], bounds: VersionRange, above: string): string[] {
    const lines: string[] = []
    let place = 0
    for (const field of fields) {
      const versions = meet(rangeOf(field.versions), bounds)
      // A field of versions that are not declared is nobody's business here.
      if (versions[0] > versions[1]) continue
      const path = `${above}${field.name.charAt(0).toLowerCase()}${field.name.slice(1)}`
      const present = version >= versions[0] && version <= versions[1]
      const tag = within(field.taggedVersions, version) ? (field.tag ?? null) : null
      if (present && tag === null) place++
      const element = field.type.replace('[]', '')
      const inner = field.fields ?? structs.get(element) ?? null
      const elementText = inner === null ? element.replace(/^bool$/, 'boolean') : 'struct'
      const isArray = field.type.startsWith('[]')
      const type = isArray ? `array of ${elementText}` : elementText
      const nullable = within(field.nullableVersions, version)
      const fallback = type === 'struct' ? 'its defaults' : kafkaDefault(field, type)
      const ignorable = field.ignorable ?? false
      const tagAnyhow = field.tag ?? null
      lines.push(
        textOf({
          path,
          present,
          place,
          type,
          nullable,
          tag: tag ?? tagAnyhow,
          fallback,
          ignorable,
        }),
      )
      if (present && inner !== null) lines.push(...walk(inner, versions, `${path}.`))
    }
    return lines
  }

  return walk(fields, declared, '')
}

function kafkaDefault({ default: given }: KafkaField, type: string): string {
  if (given === 'null') return 'null'
  if (type.startsWith('array')) return '[]'
  if (type === 'string') return JSON.stringify(given ?? '')
  if (type === 'boolean') return String(given ?? false)
  if (type === 'uuid') return JSON.stringify('AAAAAAAAAAAAAAAAAAAAAA')
  if (type === 'bytes' || type === 'records') return 'no bytes'
  return String(BigInt(given ?? 0))
}

function valueText(value: WireValue): string {
  if (value instanceof Uint8Array) return value.byteLength === 0 ? 'no bytes' : 'bytes'
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

function isField(spec: Type | Field): spec is Field {
  return spec.kind === 'field'
}

function within(versions: string | undefined, version: number): boolean {
  if (versions === undefined || versions === 'none') return false
  const [first, last] = rangeOf(versions)
  return version >= first && version <= last
}

/** Kafka writes "3+", "0-7" or "4". */
function rangeOf(versions: string): VersionRange {
  const match = /^(\d+)(\+|-(\d+))?$/.exec(versions)
  if (match === null) throw new Error(`"${versions}" is no range of versions`)
  const first = Number(match[1])
  if (match[2] === undefined) return [first, first]
  return [first, match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3])]
}

function meet(left: VersionRange, right: VersionRange): VersionRange {
  return [Math.max(left[0], right[0]), Math.min(left[1], right[1])]
}

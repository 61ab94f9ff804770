import { MillraceError, messageOf } from '../errors.ts'
import { probeBroker } from './kafka-probe.ts'
import type { KafkaSettings } from './kafka-settings.ts'

/** An error, what it is made of and what caused it, outermost first. */
function* layersOf(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return
  yield error
  if (error instanceof AggregateError) {
    for (const part of error.errors) yield* layersOf(part)
  }
  yield* layersOf(error.cause)
}

/** Kafka's name for an error (`MESSAGE_TOO_LARGE`), or null where Kafka did not answer. */
function protocolCodeOf(error: unknown): string | null {
  for (const layer of layersOf(error)) {
    if ('apiId' in layer && typeof layer.apiId === 'string') return layer.apiId
  }
  return null
}

/** Every protocol error inside, so that "all of them say TOPIC_ALREADY_EXISTS" can be asked. */
export function protocolCodesOf(error: unknown): readonly string[] {
  return [...layersOf(error)].flatMap((layer) =>
    'apiId' in layer && typeof layer.apiId === 'string' ? [layer.apiId] : [],
  )
}

/** True where Kafka answered, and said no: another attempt is answered alike. */
export function isRefusedByKafka(error: unknown): boolean {
  return protocolCodeOf(error) !== null || isAuthentication(error)
}

/** Kafka's name for an error, else the system's (`ECONNREFUSED`), else the client's. */
export function codeOf(error: unknown): string {
  const protocolCode = protocolCodeOf(error)
  if (protocolCode !== null) return protocolCode
  const codes = [...layersOf(error)].flatMap((layer) =>
    'code' in layer && typeof layer.code === 'string' ? [layer.code] : [],
  )
  return codes.find((code) => /^E[A-Z]+$/.test(code)) ?? codes[0] ?? 'UNKNOWN'
}

/** The client's own way to say that metadata has no such topic. */
export function isUnknownTopic(error: unknown): boolean {
  return (
    protocolCodesOf(error).includes('UNKNOWN_TOPIC_OR_PARTITION') ||
    [...layersOf(error)].some(({ message }) => message.startsWith('Unknown topic '))
  )
}

function isAuthentication(error: unknown): boolean {
  return [...layersOf(error)].some(
    (layer) =>
      ('code' in layer && layer.code === 'PLT_KFK_AUTHENTICATION') ||
      ('apiId' in layer && layer.apiId === 'SASL_AUTHENTICATION_FAILED'),
  )
}

/**
 * One clear line for a Kafka that cannot be used: what, which, and what now. Looks at the first
 * bootstrap server where the client's error does not say enough.
 */
export async function explain(error: unknown, settings: KafkaSettings): Promise<MillraceError> {
  const protocolCode = protocolCodeOf(error)
  if (protocolCode !== null && isAuthentication(error)) return refusedUser(error, settings)
  if (protocolCode !== null) {
    const where = settings.brokers.join(', ')
    const hint = hints.get(protocolCode)
    const what = `Kafka at ${where} answers ${protocolCode}`
    return unavailable(hint === undefined ? what : `${what}: ${hint}`, error)
  }
  const [broker] = settings.brokers
  if (broker === undefined) {
    return new MillraceError('config-invalid', 'KAFKA_BROKERS names no broker: set host:port')
  }
  return explainSilence(error, broker, settings)
}

/** What helps where Kafka's name for an error does not say it. */
const hints: ReadonlyMap<string, string> = new Map([
  [
    'INCONSISTENT_GROUP_PROTOCOL',
    'the group has members of another kind; stop them, or give the service a group of its own',
  ],
  ['GROUP_AUTHORIZATION_FAILED', 'allow the user to read the service’s group'],
  ['GROUP_MAX_SIZE_REACHED', 'the group has as many members as the cluster lets it have'],
])

function refusedUser(error: unknown, { sasl, brokers }: KafkaSettings): MillraceError {
  const where = brokers.join(', ')
  const message =
    sasl === null
      ? `Kafka at ${where} wants a user: set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`
      : protocolCodesOf(error).includes('UNSUPPORTED_SASL_MECHANISM')
        ? `Kafka at ${where} does not know ${sasl.mechanism}: set KAFKA_SASL_MECHANISM to ` +
          'another of plain, scram-sha-256 and scram-sha-512'
        : `Kafka at ${where} refuses user "${sasl.username}" by ${sasl.mechanism}: check ` +
          'KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM'
  return new MillraceError('kafka-authentication', message, { cause: error })
}

/** Runs `work`; what it throws is explained. */
export async function explained<Result>(
  settings: KafkaSettings,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw await explain(error, settings)
  }
}

async function explainSilence(
  error: unknown,
  broker: string,
  settings: KafkaSettings,
): Promise<MillraceError> {
  const { tls, ca, sasl } = settings
  const probe = await probeBroker(broker, settings)
  switch (probe.kind) {
    case 'unreachable':
      return unavailable(
        `no Kafka answers at ${broker} (${probe.code}): start it, or set KAFKA_BROKERS`,
        error,
      )
    case 'silent':
      return unavailable(
        `${broker} accepts connections but does not answer: it is overloaded, or no Kafka`,
        error,
      )
    case 'encrypted':
      return unavailable(`Kafka at ${broker} wants TLS: set KAFKA_SSL=true`, error)
    case 'untrusted':
      return unavailable(distrustText(broker, probe.code, ca !== undefined), error)
    case 'stranger': {
      const isPlain = tls && (await probeBroker(broker, { tls: false })).kind === 'kafka'
      return unavailable(
        isPlain
          ? `Kafka at ${broker} has no TLS at this port, and KAFKA_SSL is true: unset it, or name ` +
              'the port that has TLS in KAFKA_BROKERS'
          : `what answers at ${broker} is no Kafka: check the port in KAFKA_BROKERS`,
        error,
      )
    }
    case 'kafka': {
      if (isAuthentication(error)) return refusedUser(error, settings)
      const hint =
        sasl === null
          ? 'it may want a user (KAFKA_SASL_USERNAME)'
          : 'it may know no users at this port (KAFKA_SASL_USERNAME is set)'
      const words = innermostMessage(error).replace(/\.$/, '')
      return unavailable(`Kafka at ${broker} broke off (${words}): ${hint}`, error)
    }
    default:
      return probe satisfies never
  }
}

function distrustText(broker: string, code: string, hasCa: boolean): string {
  const what = `the certificate of Kafka at ${broker} is not accepted (${code}): `
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `${what}renew it, or set the clock right`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `${what}name the broker in KAFKA_BROKERS as its certificate does`
  }
  return hasCa
    ? `${what}KAFKA_SSL_CA is not the authority that signed it`
    : `${what}set KAFKA_SSL_CA to the PEM file of the authority that signed it`
}

function unavailable(message: string, cause: unknown): MillraceError {
  return new MillraceError('kafka-unavailable', message, { cause, retriable: true })
}

function innermostMessage(error: unknown): string {
  return [...layersOf(error)].at(-1)?.message ?? messageOf(error)
}

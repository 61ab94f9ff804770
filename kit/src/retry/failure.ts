import { isOutage, MillraceError, messageOf } from '../errors.ts'

/** What a handler threw, whatever it was. */
export interface Failure {
  readonly message: string
  /** Equal for failures of one cause: see `signatureOf`. */
  readonly signature: string
  /** A dependency is down: nothing is to be counted against the event (P7). */
  readonly isOutage: boolean
  /** The error says `retriable: false`: another attempt would only repeat it. */
  readonly isFinal: boolean
}

/** Our own store in trouble is a dependency that is down, like any other. */
const storeOutages = new Set([
  'store-busy',
  'store-conflict',
  'store-locked',
  'store-full',
  'store-failed',
  'outbox-full',
])

/** `isFatal`: what the subscription declares as not worth another attempt. */
export function failureOf(
  thrown: unknown,
  isFatal: (error: unknown) => boolean = () => false,
): Failure {
  const isStoreOutage = thrown instanceof MillraceError && storeOutages.has(thrown.code)
  return {
    message: messageOf(thrown).slice(0, messageLengthMax) || 'the handler threw nothing',
    signature: signatureOf(thrown),
    isOutage: isOutage(thrown) || isStoreOutage,
    isFinal: isFinal(thrown) || isDeclared(thrown, isFatal),
  }
}

/** The kit's own errors speak to their caller, and say nothing about a later attempt here. */
function isFinal(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || thrown instanceof MillraceError) return false
  return 'retriable' in thrown && thrown.retriable === false
}

/** A predicate that fails itself says nothing: the error is tried again like any other. */
function isDeclared(thrown: unknown, isFatal: (error: unknown) => boolean): boolean {
  try {
    return isFatal(thrown)
  } catch {
    return false
  }
}

/** A reason is read by people and travels in announcements. */
const messageLengthMax = 1_000

/**
 * What failures of one cause have in common: the error's code where it has one, else its name
 * and its message without what differs by event (numbers, quoted words, ids).
 */
export function signatureOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `${typeof thrown}: ${generalise(String(thrown))}`
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : null
  return code === null ? `${thrown.name}: ${generalise(thrown.message)}` : `${thrown.name} ${code}`
}

/** What texts of one cause have in common. */
export function generalise(message: string): string {
  return message
    .slice(0, messageLengthMax)
    .replaceAll(/(["'`]).*?\1/g, '…')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27,}/gi, '…')
    .replaceAll(/\d+/g, '…')
}

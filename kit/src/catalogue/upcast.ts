// Older versions of an event, read as the present one.
//
// U1. Each upcast turns the body of one version into that of the next; the last one into the
//     present version. They run when a record is read, and change no record.
// U2. What comes out is checked by the present schemas, like any other body.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Eventually } from './eventually.ts'
import type { EventBody } from './read-record.ts'
import { validate } from './validation.ts'

/** A body of an older version: the fields, and the payload. */
export type OlderBody = Readonly<Record<string, unknown>> & { readonly payload: unknown }

/**
 * Turns the body of one version into that of the next. It must be pure; where it throws, the
 * record is rejected.
 */
export type Upcast = (body: OlderBody) => OlderBody | Promise<OlderBody>

/**
 * An upcast of the payload alone, which is checked by the schema that it had: so the compiler
 * knows what `change` is given. A record that does not fit it is rejected, with the reason.
 */
export function upcast<Older>(
  older: StandardSchemaV1<unknown, Older>,
  change: (payload: Older, body: OlderBody) => unknown,
): Upcast {
  return async (body) => {
    const checked = await validate(older, body.payload, 'payload')
    if (checked.kind === 'invalid') throw new Error(checked.issues.join('; '))
    return { ...body, payload: change(checked.value, body) }
  }
}

/** What an event knows of its versions. */
export interface Versioned {
  readonly version: string
  /** By the version that each reads, the oldest first. */
  readonly upcasts?: Readonly<Record<string, Upcast>>
}

/**
 * The body as the present version has it. One of a version that is neither the present one nor
 * among the upcasts stays as it is: the schemas say whether it can be read. Throws what an upcast
 * throws, with the version that it was at.
 */
export function upcastBody(
  { upcasts }: Versioned,
  version: string | undefined,
  body: EventBody,
): Eventually<EventBody> {
  if (upcasts === undefined || version === undefined) return body
  const versions = Object.keys(upcasts)
  const from = versions.indexOf(version)
  return from < 0 ? body : upcastThrough(upcasts, versions.slice(from), body)
}

async function upcastThrough(
  upcasts: Readonly<Record<string, Upcast>>,
  steps: readonly string[],
  { fields, payload }: EventBody,
): Promise<EventBody> {
  let body: OlderBody = { ...fields, payload }
  for (const step of steps) {
    const change = upcasts[step]
    if (change === undefined) continue
    try {
      body = await change(body)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`version ${step} cannot be read as the next one: ${reason}`, { cause })
    }
  }
  const { payload: present, ...rest } = body
  return { fields: rest, payload: present }
}

/** Whether a version is an older one that the event still reads. */
export function isOlderVersion({ upcasts = {} }: Versioned, version: string | undefined): boolean {
  return version !== undefined && Object.hasOwn(upcasts, version)
}

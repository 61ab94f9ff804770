import type { StandardSchemaV1 } from '@standard-schema/spec'
import { andThen, type Eventually } from './eventually.ts'

export type Validation<Output> =
  | { readonly kind: 'valid'; readonly value: Output }
  | { readonly kind: 'invalid'; readonly issues: readonly string[] }

/**
 * Checks a value by its schema, whatever library made it. The issues read `payload.email:
 * Invalid email`, with `at` as the root of their paths.
 */
export function validate<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
  at: string,
): Eventually<Validation<Output>> {
  return andThen(schema['~standard'].validate(value), (result): Validation<Output> => {
    if (result.issues === undefined) return { kind: 'valid', value: result.value }
    return { kind: 'invalid', issues: result.issues.map((issue) => describe(issue, at)) }
  })
}

function describe({ message, path = [] }: StandardSchemaV1.Issue, at: string): string {
  const steps = path.map((step) => String(typeof step === 'object' ? step.key : step))
  const place = [at, ...steps].filter((step) => step !== '').join('.')
  return place === '' ? message : `${place}: ${message}`
}

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { validate } from '../catalogue/validation.ts'
import { Problem } from './problem.ts'

/**
 * What a schema makes of a body, of path parameters or of a query. Rejects with a `Problem` of
 * status 422 that names each field and what it should be.
 */
export async function accepted<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): Promise<Output> {
  const result = await validate(schema, value, '')
  if (result.kind === 'valid') return result.value
  throw new Problem({
    status: 422,
    type: 'urn:millrace:invalid',
    detail: result.issues.join('; '),
    errors: result.issues,
  })
}

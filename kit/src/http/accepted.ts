import type { StandardSchemaV1 } from '@standard-schema/spec'
import { validate } from '../catalogue/validation.ts'
import { Problem } from './problem.ts'

/**
 * What a client sent, as its schema puts it out. Throws a problem with status 422 that lists
 * each thing that does not fit: `title: Too small: expected string to have >=1 characters`.
 */
export async function accepted<Output>(
  schema: StandardSchemaV1<unknown, Output>,
  value: unknown,
): Promise<Output> {
  const checked = await validate(schema, value, '')
  if (checked.kind === 'valid') return checked.value
  const { issues } = checked
  const sent = value === undefined || value === null ? 'a JSON object is expected; ' : ''
  throw new Problem({
    status: 422,
    type: 'invalid-request',
    detail: `${sent}${issues.join('; ')}`,
    members: { issues },
  })
}

import type { Environment } from '../environment.ts'
import { MillraceError } from '../errors.ts'
import type { Dialect } from '../store/store.ts'

/**
 * Who carries the outbox to Kafka: our relay, or Debezium, which reads the table's inserts from
 * PostgreSQL's log. Then rows are not marked, only forgotten when they are old.
 */
export type OutboxCarrier = 'relay' | 'debezium'

/** Reads `OUTBOX_CARRIER`. Throws `config-invalid`. */
export function readOutboxCarrier(env: Environment, dialect: Dialect): OutboxCarrier {
  const value = env['OUTBOX_CARRIER'] ?? ''
  if (value === '' || value === 'relay') return 'relay'
  if (value !== 'debezium') throw invalid(`is "${value}"; it is "relay" or "debezium"`)
  if (dialect === 'postgres') return 'debezium'
  throw invalid('is "debezium", which reads PostgreSQL\'s log: set DATABASE_URL, or leave it out')
}

function invalid(problem: string): MillraceError {
  const issue = `OUTBOX_CARRIER ${problem}`
  return new MillraceError('config-invalid', issue, { issues: [issue] })
}

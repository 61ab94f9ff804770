import { Client } from 'pg'
import { migrationHeldMsMax, postgresConnectMsMax } from '../limits.ts'
import { postgresError } from './postgres-error.ts'
import type { PostgresPlace } from './postgres-url.ts'

/** Tells our advisory locks from others'; a second number says what is locked. */
const schemaLockClass = 1_296_321_603

/**
 * Makes the schema if it is missing, and runs `work` while no other instance does the same. The
 * lock is a session's: it ends with this process, however that ends.
 */
export async function withSchemaLock(
  place: PostgresPlace,
  schema: string,
  work: () => Promise<void>,
): Promise<void> {
  const client = new Client({
    connectionString: place.url,
    application_name: `${schema} migrations`,
    connectionTimeoutMillis: postgresConnectMsMax,
    statement_timeout: migrationHeldMsMax,
  })
  client.on('error', () => {})
  try {
    await makeSchema(client, schema)
  } catch (error) {
    await client.end().catch(() => {})
    throw postgresError(error, place.description)
  }
  try {
    await work()
  } finally {
    await client.end()
  }
}

async function makeSchema(client: Client, schema: string): Promise<void> {
  await client.connect()
  await client.query('select pg_advisory_lock($1, hashtext($2))', [schemaLockClass, schema])
  // Asked first: a user who may not make schemas may still use one that was made for it.
  const found = await client.query('select from pg_namespace where nspname = $1', [schema])
  if (found.rowCount === 0) {
    await client.query(`create schema ${client.escapeIdentifier(schema)}`)
  }
}

import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** A database that one test has for itself. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
}

/** Makes an empty database on a server; it is dropped in the end, whoever is still connected. */
export async function openTestDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await onServer(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => onServer(serverUrl, `drop database ${name} with (force)`),
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

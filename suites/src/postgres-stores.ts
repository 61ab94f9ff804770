import type { Environment } from '@millrace/kit'
import { openTestDatabase, type TestDatabase } from './servers/postgres-database.ts'

/** What a service is given so that it keeps its rows elsewhere than in its directory. */
export type StoreOf = (directory: string) => Promise<Environment>

/** A database for each directory, so that a second life in the same directory has the same rows. */
export class PostgresStores implements AsyncDisposable {
  readonly #serverUrl: string
  readonly #databases = new Map<string, Promise<TestDatabase>>()

  constructor(serverUrl: string) {
    this.#serverUrl = serverUrl
  }

  readonly of: StoreOf = async (directory) => {
    const known = this.#databases.get(directory) ?? openTestDatabase(this.#serverUrl)
    this.#databases.set(directory, known)
    return { DATABASE_URL: (await known).url }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const databases = await Promise.all(this.#databases.values())
    await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()))
    this.#databases.clear()
  }
}

import { randomBytes } from 'node:crypto'
import type { ServerContext } from '@millrace/kit'
import type { catalogue } from '../../catalogue.ts'
import { tokenSecretBytesMin } from '../../limits.ts'
import type { AuthTables } from './tables.ts'

const name = 'token-secret'

/**
 * The secret that signs tokens, from auth's own database, made at the first call: tokens stay
 * valid when the service is started again, and nothing needs to be set up.
 */
export async function keptTokenSecret({
  transaction,
}: Pick<ServerContext<typeof catalogue, AuthTables>, 'transaction'>): Promise<Uint8Array> {
  return transaction(async ({ db }) => {
    const kept = await db.selectFrom('secrets').select('bytes').where('name', '=', name).execute()
    const [first] = kept
    if (first) return first.bytes
    const bytes = randomBytes(tokenSecretBytesMin)
    await db.insertInto('secrets').values({ name, bytes }).execute()
    return bytes
  })
}

import type { Clock, Random } from '../clock.ts'
import { newEventId } from '../event-id.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'

/**
 * The id of our static membership. It lives in the database, so that a restart takes its
 * partitions back (KIP-345), while another database of the same service, on another machine, is
 * another member and not an impostor that fences us.
 */
export async function instanceIdOf(
  store: Store<KitTables>,
  group: string,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<string> {
  return store.transaction('instance id', async (db) => {
    const found = await db.selectFrom('millrace_instance').select('instance_id').executeTakeFirst()
    if (found !== undefined) return found.instance_id
    const instanceId = `${group}-${newEventId(clock.nowMs(), random)}`
    await db.insertInto('millrace_instance').values({ instance_id: instanceId }).execute()
    return instanceId
  })
}

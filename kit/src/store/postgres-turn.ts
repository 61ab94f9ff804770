import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { statementMsMax } from '../limits.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import type { Lease, PostgresPool } from './postgres-pool.ts'
import { SavingConnection } from './saving-connection.ts'
import { rolledBack, tooLong } from './store-error.ts'
import type { TakenTurn, TurnOptions } from './turn.ts'

/**
 * Takes a transaction of its own. BEGIN is not waited for: it goes out with the first query.
 *
 * T1. The connection goes back only when its transaction has ended; where that is not known, the
 *     connection is closed, which ends it too.
 * T2. The time counts from holding the connection, not from waiting for it.
 */
export async function takePostgresTurn(
  pool: PostgresPool,
  clock: Clock,
  options: TurnOptions,
): Promise<TakenTurn> {
  const { name, heldMsMax } = options
  const lease = await pool.lease(name)
  const { connection } = lease
  begin(connection, heldMsMax)
  let isHeld = true
  const end = (): void => {
    isHeld = false
    timer.cancel()
  }
  const drop = async (): Promise<void> => {
    if (!isHeld) return
    end()
    await rollBack(lease, clock)
  }
  const timer = clock.after(heldMsMax, () => {
    void drop()
    options.lost(tooLong(options))
  }) // T2
  const turn = {
    get isHeld() {
      return isHeld
    },
    async keep() {
      if (!isHeld) {
        throw new MillraceError('transaction-closed', `the transaction "${name}" has ended`)
      }
      end()
      await commit(lease)
    },
    drop,
  }
  const saving = new SavingConnection(connection, () => isHeld)
  return { turn, connection: saving, hooksConnection: connection }
}

function begin(connection: PostgresConnection, heldMsMax: number): void {
  // A connection that fails here fails the query behind it, which tells.
  connection.run('begin').catch(() => {})
  if (heldMsMax > statementMsMax) {
    connection.run(`set local statement_timeout = ${heldMsMax}`).catch(() => {})
  }
}

async function commit(lease: Lease): Promise<void> {
  let command: string
  try {
    command = await lease.connection.run('commit')
  } catch (error) {
    lease.release({ isUsable: false }) // T1
    throw error
  }
  lease.release({ isUsable: true })
  // COMMIT of a transaction that has failed is answered as if it were well.
  if (command !== 'COMMIT') throw rolledBack()
}

async function rollBack(lease: Lease, clock: Clock): Promise<void> {
  // A server that answers nothing more must not keep the connection.
  const patience = clock.after(statementMsMax, () => release(false))
  let isReleased = false
  const release = (isUsable: boolean): void => {
    if (isReleased) return
    isReleased = true
    patience.cancel()
    lease.release({ isUsable })
  }
  await lease.connection.run('rollback').then(
    () => release(true),
    () => release(false),
  )
}

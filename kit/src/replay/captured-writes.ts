// What a handler writes, as the statements that it runs.

import type {
  CompiledQuery,
  KyselyPlugin,
  PluginTransformQueryArgs,
  QueryResult,
  Transaction,
  UnknownRow,
} from 'kysely'
import type { KitTables } from '../store/kit-tables.ts'

/** A statement that changes rows, with its values. */
export interface Write {
  readonly sql: string
  readonly values: readonly unknown[]
}

const writing = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode', 'MergeQueryNode'])

/** The same transaction, whose writes are noted in their order. Raw statements are all noted. */
export function withCapturedWrites(
  db: Transaction<KitTables>,
  writes: Write[],
): Transaction<KitTables> {
  const executor = db.getExecutor()
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }: PluginTransformQueryArgs) {
      if (writing.has(node.kind) || node.kind === 'RawNode') {
        const compiled: CompiledQuery = executor.compileQuery(node, queryId)
        if (isWrite(compiled.sql)) writes.push({ sql: compiled.sql, values: compiled.parameters })
      }
      return node
    },
    transformResult: async ({ result }): Promise<QueryResult<UnknownRow>> => result,
  }
  return db.withPlugin(plugin)
}

function isWrite(sql: string): boolean {
  // A query that begins with `with` may end with any other statement.
  return (
    !/^\s*select\b/i.test(sql) && !/^\s*with\b(?!.*\b(insert|update|delete|merge)\b)/is.test(sql)
  )
}

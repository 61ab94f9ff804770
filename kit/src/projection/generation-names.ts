// The tables of one generation of a projection: their names carry its number, so that the next one
// can be built beside them. Queries are written with the plain names.

import {
  type CreateIndexNode,
  IdentifierNode,
  type KyselyPlugin,
  type OnConflictNode,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PrimaryKeyConstraintNode,
  type QueryResult,
  type SchemableIdentifierNode,
  type UniqueConstraintNode,
  type UnknownRow,
} from 'kysely'

/** `post_counts` of generation 2 is `post_counts__g2`. */
export function tableOf(table: string, generation: number): string {
  return `${table}__g${generation}`
}

/** Makes plain names those of a generation. Raw SQL is left as it is. */
export function generationNames(tables: readonly string[], generation: number): KyselyPlugin {
  const transformer = new Renamer(new Set(tables), generation)
  return {
    transformQuery: ({ node, queryId }: PluginTransformQueryArgs) =>
      transformer.transformNode(node, queryId),
    transformResult: async ({ result }): Promise<QueryResult<UnknownRow>> => result,
  }
}

class Renamer extends OperationNodeTransformer {
  readonly #tables: ReadonlySet<string>
  readonly #generation: number

  constructor(tables: ReadonlySet<string>, generation: number) {
    super()
    this.#tables = tables
    this.#generation = generation
  }

  protected override transformSchemableIdentifier(
    node: SchemableIdentifierNode,
  ): SchemableIdentifierNode {
    const { schema, identifier } = node
    if (schema !== undefined || !this.#tables.has(identifier.name)) return node
    return { ...node, identifier: this.#renamed(identifier) }
  }

  /** An index has a name among all of the database, so each generation has its own. */
  protected override transformCreateIndex(node: CreateIndexNode): CreateIndexNode {
    const transformed = super.transformCreateIndex(node)
    return { ...transformed, name: this.#renamed(node.name) }
  }

  /** PostgreSQL makes an index of each of these, under its name. */
  protected override transformPrimaryKeyConstraint(
    node: PrimaryKeyConstraintNode,
  ): PrimaryKeyConstraintNode {
    const transformed = super.transformPrimaryKeyConstraint(node)
    return node.name === undefined
      ? transformed
      : { ...transformed, name: this.#renamed(node.name) }
  }

  protected override transformUniqueConstraint(node: UniqueConstraintNode): UniqueConstraintNode {
    const transformed = super.transformUniqueConstraint(node)
    return node.name === undefined
      ? transformed
      : { ...transformed, name: this.#renamed(node.name) }
  }

  /** What conflicts is named by the constraint. */
  protected override transformOnConflict(node: OnConflictNode): OnConflictNode {
    const transformed = super.transformOnConflict(node)
    return node.constraint === undefined
      ? transformed
      : { ...transformed, constraint: this.#renamed(node.constraint) }
  }

  #renamed({ name }: IdentifierNode): IdentifierNode {
    return IdentifierNode.create(tableOf(name, this.#generation))
  }
}

import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type CompiledQuery,
  DeleteQueryNode,
  InsertQueryNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  type RootOperationNode,
  SelectQueryNode,
  TableNode,
  UpdateQueryNode,
  ValueNode,
  ValuesNode,
} from 'kysely'

/** Which rows a statement reads, changes or locks, as far as its text tells. */
export interface Footprint {
  /**
   * - `read`: it sees rows, and keeps nobody from them.
   * - `insert`: it makes rows.
   * - `lock`: it sees rows, but keeps others from changing them.
   * - `change`: it changes rows.
   */
  readonly kind: 'read' | 'insert' | 'lock' | 'change'
  /** Null where it may be any. */
  readonly tables: ReadonlySet<string> | null
  /** Columns that have one value in all its rows: two with different values share no row. */
  readonly equals: ReadonlyMap<string, unknown>
}

/** True where the later of two statements could tell that the earlier one has not ended yet. */
export function overlap(earlier: Footprint, later: Footprint): boolean {
  if (earlier.tables === null || later.tables === null) return true
  if (!tells(earlier, later)) return false
  if (earlier.tables.isDisjointFrom(later.tables)) return false
  for (const [column, value] of earlier.equals) {
    if (later.equals.has(column) && differ(value, later.equals.get(column))) return false
  }
  return true
}

/** Rows that are made beside each other meet only in a constraint, which then fails. */
function tells(earlier: Footprint, later: Footprint): boolean {
  if (later.kind === 'insert') return false
  return earlier.kind === 'lock' ? later.kind !== 'read' : earlier.kind !== 'read'
}

/** Texts may be compared without regard to case, and `1` with `'1'`, by their column's type. */
function differ(one: unknown, other: unknown): boolean {
  if (!isPlain(one) || !isPlain(other)) return false
  return fold(one) !== fold(other)
}

function fold(value: string | number | bigint): string {
  return String(value).trim().toLowerCase()
}

function isPlain(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

const none: ReadonlyMap<string, unknown> = new Map()
const anything: Footprint = { kind: 'change', tables: null, equals: none }

/** What a statement touches. Anything, where it is not written with Kysely's words alone. */
export function footprintOf({ query }: CompiledQuery): Footprint {
  const tables = new Set<string>()
  if (!collectTables(query, tables) || tables.size === 0) return anything
  const kind = kindOf(query)
  return { kind, tables, equals: tables.size === 1 ? equalsOf(query) : none }
}

/** False where raw SQL may name tables, or lock something, of its own. */
function collectTables(node: object, tables: Set<string>): boolean {
  if (isNode(node)) {
    if (TableNode.is(node)) {
      tables.add(node.table.identifier.name)
      return true
    }
    if (RawNode.is(node) && node.sqlFragments.some((text) => tellingWords.test(text))) return false
  }
  for (const part of Object.values(node)) {
    if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) continue
    if (!collectTables(part, tables)) return false
  }
  return true
}

const tellingWords = /\b(select|table|insert|update|delete|merge|call|lock)|_lock/i

function kindOf(query: RootOperationNode): Footprint['kind'] {
  if (SelectQueryNode.is(query)) {
    if (query.with !== undefined) return 'change'
    return query.endModifiers === undefined ? 'read' : 'lock'
  }
  if (!InsertQueryNode.is(query) || query.with !== undefined) return 'change'
  const isPlain = query.onConflict === undefined && isValues(query.values)
  return isPlain ? 'insert' : 'change'
}

/** Of a row that is made, its values; of rows that are looked up, what they must be equal to. */
function equalsOf(query: RootOperationNode): ReadonlyMap<string, unknown> {
  const equals = new Map<string, unknown>()
  if (InsertQueryNode.is(query)) {
    if (query.onConflict === undefined) addValues(query, equals)
  } else if (SelectQueryNode.is(query) || DeleteQueryNode.is(query)) {
    if (query.where !== undefined) addEqualities(query.where.where, equals)
  } else if (UpdateQueryNode.is(query) && query.where !== undefined) {
    addEqualities(query.where.where, equals)
    // A row that is given another value is one of both.
    for (const { column } of query.updates ?? []) {
      if (ColumnNode.is(column)) equals.delete(column.column.name)
    }
  }
  return equals
}

function addValues({ columns = [], values }: InsertQueryNode, equals: Map<string, unknown>): void {
  if (!isValues(values) || values.values.length !== 1) return
  const [row] = values.values
  if (row === undefined) return
  for (const [index, column] of columns.entries()) {
    const value: unknown = row.values[index]
    if (PrimitiveValueListNode.is(row)) equals.set(column.column.name, value)
    else if (typeof value === 'object' && value !== null && isNode(value) && ValueNode.is(value)) {
      equals.set(column.column.name, value.value)
    }
  }
}

function addEqualities(node: OperationNode, equals: Map<string, unknown>): void {
  if (ParensNode.is(node)) addEqualities(node.node, equals)
  else if (AndNode.is(node)) {
    addEqualities(node.left, equals)
    addEqualities(node.right, equals)
  } else if (BinaryOperationNode.is(node)) {
    const { leftOperand: left, operator, rightOperand: right } = node
    const isEqual = OperatorNode.is(operator) && operator.operator === '='
    if (!isEqual || !ReferenceNode.is(left) || !ValueNode.is(right)) return
    if (ColumnNode.is(left.column)) equals.set(left.column.column.name, right.value)
  }
}

function isValues(node: OperationNode | undefined): node is ValuesNode {
  return node !== undefined && ValuesNode.is(node)
}

function isNode(part: object): part is OperationNode {
  return 'kind' in part && typeof part.kind === 'string'
}

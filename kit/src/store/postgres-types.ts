import { types } from 'pg'

const int8 = 20

/** How values come out: 64-bit integers as numbers, as from SQLite; others as the driver does. */
export const typeParsers: { readonly getTypeParser: typeof types.getTypeParser } = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    return oid === int8 && format !== 'binary' ? toNumber : types.getTypeParser(oid, format)
  },
}

function toNumber(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(
    `${text} is beyond the integers that a number holds exactly; read it as text (cast … as text)`,
  )
}

import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  /** Numbers stand under each other at their right. */
  readonly align?: 'left' | 'right'
}

/** Lays out rows under their titles, two spaces between columns, none at the end of a line. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const head = columns.map(({ title }) => title)
  return align(columns, head.some((title) => title !== '') ? [head, ...rows] : rows)
}

function align(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((_, index) =>
    Math.max(0, ...rows.map((row) => widthOf(row[index] ?? ''))),
  )
  return rows.map((row) =>
    columns
      .map((column, index) => {
        const cell = row[index] ?? ''
        const gap = ' '.repeat((widths[index] ?? 0) - widthOf(cell))
        return column.align === 'right' ? gap + cell : cell + gap
      })
      .join('  ')
      .trimEnd(),
  )
}

const graphemes = new Intl.Segmenter()

/** How many cells a text takes: emphasis takes none, a letter with its accent takes one. */
function widthOf(text: string): number {
  return [...graphemes.segment(stripVTControlCharacters(text))].length
}

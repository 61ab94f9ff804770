import { median, type Sample, type Samples } from './samples.ts'

/**
 * A table of medians, with the least and the most of the rounds, and how each server compares with
 * the first one: above 1 it is better, whether more or less is.
 */
export function tableOf(samples: Samples, [baseline = '', ...others]: readonly string[]): string {
  const head = ['', baseline, ...others.flatMap((name) => [name, 'ratio'])]
  const rows = samples.measures().map((sample) => {
    const base = samples.figures(sample.measure, baseline)
    const compared = others.flatMap((name) => {
      const figures = samples.figures(sample.measure, name)
      return [figuresText(figures), ratioText(sample, median(base), median(figures))]
    })
    return [`${sample.measure}, ${sample.unit}`, figuresText(base), ...compared]
  })
  return aligned([head, ...rows])
}

function figuresText(figures: readonly number[]): string {
  if (figures.length === 0) return '–'
  const text = figureText(median(figures))
  if (figures.length === 1) return text
  return `${text} (${figureText(Math.min(...figures))}–${figureText(Math.max(...figures))})`
}

function figureText(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3)
}

function ratioText({ better }: Sample, base: number, figure: number): string {
  const ratio = better === 'more' ? figure / base : base / figure
  return Number.isFinite(ratio) ? `${ratio.toFixed(ratio >= 10 ? 0 : 2)}x` : '–'
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

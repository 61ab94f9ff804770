/** One figure of one server in one round. */
export interface Sample {
  readonly measure: string
  readonly unit: string
  /** Which of two figures is the better one. */
  readonly better: 'more' | 'less'
  readonly figure: number
}

/** All figures of a run. */
export class Samples {
  readonly #taken: { readonly server: string; readonly sample: Sample }[] = []

  add(server: string, samples: readonly Sample[]): void {
    for (const sample of samples) this.#taken.push({ server, sample })
  }

  /** A sample of each measure, in the order in which they were first taken. */
  measures(): readonly Sample[] {
    return [...new Map(this.#taken.map(({ sample }) => [sample.measure, sample])).values()]
  }

  figures(measure: string, server: string): readonly number[] {
    return this.#taken
      .filter((taken) => taken.server === server && taken.sample.measure === measure)
      .map(({ sample }) => sample.figure)
  }
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

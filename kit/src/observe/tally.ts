import { Counter, type Registry } from 'prom-client'

export interface TallyOptions<Label extends string> {
  readonly name: string
  readonly help: string
  /** One or two labels, whose values come from the catalogue or from a list of ours. */
  readonly labels: readonly [Label] | readonly [Label, Label]
  readonly registry: Registry
}

/**
 * A counter that costs two map look-ups an event, a tenth of prom-client's own; prom-client's is
 * filled when somebody reads the metrics.
 */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, Map<string, number>>()
  /** As prom-client knows it. */
  readonly counter: Counter<Label>

  constructor({ name, help, labels, registry }: TallyOptions<Label>) {
    const [, second] = labels
    const counts = this.#counts
    this.counter = new Counter<Label>({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset()
        for (const [value, inner] of counts) {
          for (const [other, count] of inner) {
            if (second === undefined) this.labels(value).inc(count)
            else this.labels(value, other).inc(count)
          }
        }
      },
    })
  }

  add(value: string, other = '', count = 1): void {
    let inner = this.#counts.get(value)
    if (inner === undefined) {
      inner = new Map()
      this.#counts.set(value, inner)
    }
    inner.set(other, (inner.get(other) ?? 0) + count)
  }
}

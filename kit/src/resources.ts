import type { Clock } from './clock.ts'
import type { Environment } from './environment.ts'
import { MillraceError } from './errors.ts'
import type { Log } from './log.ts'

/** What a service's resources are opened with. */
export interface ResourceStart {
  /** The variables that the host gave the service. */
  readonly env: Environment
  readonly log: Log
  readonly clock: Clock
  /** Fires when the service begins to stop: for what works by itself, in the background. */
  readonly signal: AbortSignal
}

/**
 * Opens what a service works with beside its store: clients, pools, caches. It runs once for each
 * start, before anything else of the service; what it throws is what the start throws. A result
 * with `Symbol.asyncDispose` or `Symbol.dispose` is disposed of last, after the store.
 */
export type OpenResources<Opened extends object> = (
  start: ResourceStart,
) => Promise<Opened> | Opened

/**
 * The resources of one definition, of which every start has its own. What was opened travels
 * through the kit as an `object`; `of` gives it its type again, without a cast.
 */
export class Resources<Opened extends object> {
  readonly #open: OpenResources<Opened>
  readonly #opened = new WeakMap<object, Opened>()

  constructor(open: OpenResources<Opened>) {
    this.#open = open
  }

  async open(start: ResourceStart): Promise<object> {
    const opened = await this.#open(start)
    this.#opened.set(opened, opened)
    return opened
  }

  /** What `open` of this definition gave. */
  of(opened: object): Opened {
    const known = this.#opened.get(opened)
    if (known !== undefined) return known
    throw new MillraceError(
      'definition-invalid',
      'a handler was given resources that its service did not open; start the definition that ' +
        'has the handler',
    )
  }
}

/** Of a service that needs nothing. */
export const noResources: Resources<object> = new Resources(() => ({}))

/** Ends what was opened, where it has an end. */
export async function disposeResources(opened: object): Promise<void> {
  if (!isDisposable(opened)) return
  await using ending = new AsyncDisposableStack()
  ending.use(opened)
}

function isDisposable(opened: object): opened is AsyncDisposable | Disposable {
  return Symbol.asyncDispose in opened || Symbol.dispose in opened
}

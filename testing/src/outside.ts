import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { Life } from './life.ts'

/** One run of a handler, for as long as its promises live. */
export interface HandlerRun {
  readonly life: Life
  /** `the handler of "order.placed" in shop#1`. */
  readonly what: string
  readonly usesOutside: (kind: string, place: string) => void
}

const runs = new AsyncLocalStorage<HandlerRun>()

/** What a handler may use: it ends within the step, so that no schedule needs to know of it. */
const harmless = new Set([
  'PROMISE',
  'TickObject',
  'Microtask',
  'AsyncResource',
  'Immediate-simulated',
])

const hook = createHook({
  init(_id, kind) {
    const run = runs.getStore()
    if (run === undefined || harmless.has(kind)) return
    // The hook is called again for what the report itself may use.
    runs.exit(() => run.usesOutside(kind, callerOf(new Error('used here').stack)))
  },
  trackPromises: false,
})
let watchers = 0

/**
 * Watches for what a handler does past the simulator: real timers, sockets, files. Node tells of
 * each thing that the event loop will wait for, and whose promise chain asked for it.
 */
export function watchOutside(): Disposable {
  watchers += 1
  hook.enable()
  return {
    [Symbol.dispose]() {
      watchers -= 1
      if (watchers === 0) hook.disable()
    },
  }
}

export function withinRun<Result>(run: HandlerRun, work: () => Result): Result {
  return runs.run(run, work)
}

/** The handler that the calling code works for. */
export function currentRun(): HandlerRun | undefined {
  return runs.getStore()
}

/** The first frame that is neither Node's nor a package's. */
function callerOf(stack = ''): string {
  const frames = stack.split('\n').slice(1)
  const own = frames.find(
    (frame) =>
      !frame.includes('node:') && !frame.includes('node_modules') && !/outside\.ts/.test(frame),
  )
  return own?.trim() ?? 'a place that Node does not tell'
}

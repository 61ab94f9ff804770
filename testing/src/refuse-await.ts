/**
 * An object with a `then` can be awaited by mistake, which would call it with two functions: that
 * is told, because the test would otherwise compare them.
 */
export function refuseAwait(expected: unknown): void {
  if (typeof expected !== 'function') return
  throw new TypeError('given … when … then is synchronous: do not await it')
}

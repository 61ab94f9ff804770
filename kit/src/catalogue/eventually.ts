/** What most schemas give at once, and some only after a while. */
export type Eventually<Value> = Value | Promise<Value>

/**
 * Goes on with a value: at once where it is there. A promise for each step of each record would
 * cost more than the steps do.
 */
export function andThen<Value extends object, Result>(
  value: Eventually<Value>,
  step: (value: Value) => Eventually<Result>,
): Eventually<Result> {
  return value instanceof Promise ? value.then(step) : step(value)
}

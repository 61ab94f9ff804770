/**
 * A value as one line of JSON. Offsets, which are `bigint`, become numbers; past 2^53 they become
 * strings, because a reader would round them without a word.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'bigint') return item
    return item <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(item) : String(item)
  })
}

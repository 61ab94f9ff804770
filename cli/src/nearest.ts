/** What was probably meant: the candidate at most two edits from `word`, if there is one. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = 3
  for (const candidate of candidates) {
    const distance = candidate.startsWith(word) && word.length > 1 ? 1 : editsFrom(word, candidate)
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein's distance, row by row. */
function editsFrom(source: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, index) => index)
  for (let i = 1; i <= source.length; i++) {
    const next = [i]
    for (let j = 1; j <= target.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (source[i - 1] === target[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution))
    }
    row = next
  }
  return row[target.length] ?? 0
}

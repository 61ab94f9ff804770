/**
 * The examples of a page of the docs, as files that can be checked and run.
 *
 * A block that begins with "```ts file=<name>" is part of that file; blocks of one file on one page
 * belong together, in their order. A file whose first block also says `run` is a program: it is
 * started, and the next "```text" block of the page says what it prints, line by line, among
 * others; one that also says `postgres` is started where there is one. A file `<name>.test.ts` is
 * run by `node --test`. All other files are only checked.
 */
export interface Example {
  readonly file: string
  readonly code: string
  /** Lines that it prints, in this order; null for a file that is not run. */
  readonly prints: readonly string[] | null
  /** True where it runs on PostgreSQL: its first block says `postgres`. */
  readonly onPostgres: boolean
}

export function examplesOf(markdown: string): readonly Example[] {
  const examples = new Map<string, Omit<Example, 'file'>>()
  let runs: string | null = null
  for (const { info, body } of blocksOf(markdown)) {
    const file = /(?:^|\s)file=(\S+)/.exec(info)?.[1]
    if (info.startsWith('ts') && file !== undefined) {
      const known = examples.get(file)
      const isRun = /\srun(\s|$)/.test(info)
      const code = known === undefined ? body : `${known.code}\n${body}`
      const onPostgres = known?.onPostgres ?? /\spostgres(\s|$)/.test(info)
      examples.set(file, { code, prints: known?.prints ?? (isRun ? [] : null), onPostgres })
      if (isRun) runs = file
    } else if (info === 'text' && runs !== null) {
      const { code, onPostgres } = examples.get(runs) ?? { code: '', onPostgres: false }
      const prints = body.split('\n').filter((line) => line.trim() !== '')
      examples.set(runs, { code, prints, onPostgres })
      runs = null
    }
  }
  return [...examples].map(([file, example]) => ({ file, ...example }))
}

interface Block {
  /** What stands after the three backticks. */
  readonly info: string
  readonly body: string
}

function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(
    ([, info = '', body = '']) => {
      return { info: info.trim(), body }
    },
  )
}

import { readFile } from 'node:fs/promises'

/** What of the README is pasted into a shell, in order, and the chain that it shows. */
export async function readmeLines(): Promise<{
  readonly blocks: readonly string[]
  readonly chain: string
}> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines = '']) => lines)
  const chain = /```\n(voyage\.booking\.created said by[\s\S]*?)```/.exec(readme)?.[1] ?? ''
  return { blocks, chain }
}

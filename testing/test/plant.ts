import { type LoadFnOutput, registerHooks } from 'node:module'

/** One line of the kit, and what it says once the bug is planted. */
export interface Edit {
  /** Below `kit/src`. */
  readonly file: string
  readonly line: string
  readonly planted: string
}

/**
 * Loads a module, and all of ours that it stands on, once more and beside the sound ones, with a
 * bug in the kit. Throws where a line is not found exactly once: the kit has changed, and so must
 * the plant.
 */
export async function loadWithBug<Module>(
  bug: string,
  edits: readonly Edit[],
  load: (query: string) => Promise<Module>,
): Promise<Module> {
  const mark = `bug=${encodeURIComponent(bug)}`
  const unplanted = new Set(edits)
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const isBuggy = context.parentURL?.includes(mark) === true
      const isOurs = /\/(kit|testing)\/(src|test)\//.test(resolved.url)
      if (!isBuggy || !isOurs || resolved.url.includes(mark)) return resolved
      return { ...resolved, url: `${resolved.url}?${mark}` }
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.includes(mark)) return loaded
      const here = edits.filter(({ file }) => url.includes(`/kit/src/${file}?`))
      let source = sourceOf(loaded.source)
      for (const edit of here) {
        source = planted(source, edit)
        unplanted.delete(edit)
      }
      return { ...loaded, source }
    },
  })
  try {
    const module = await load(mark)
    for (const { file } of unplanted) throw new Error(`kit/src/${file} was not loaded`)
    return module
  } finally {
    hooks.deregister()
  }
}

function sourceOf(source: LoadFnOutput['source']): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source)
}

function planted(source: string, { file, line, planted: bug }: Edit): string {
  const parts = source.split(line)
  if (parts.length === 2) return parts.join(bug)
  throw new Error(`kit/src/${file} has the line "${line}" ${parts.length - 1} times; plant anew`)
}

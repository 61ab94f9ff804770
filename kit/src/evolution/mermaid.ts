// Who hears what, as a Mermaid flowchart: GitHub and most wikis draw it.

import type { AnyServiceDefinition } from '../service.ts'

/** Services that hear, events by topic, and services that say where they are known. */
export interface Flow {
  readonly services: readonly AnyServiceDefinition[]
  /** By service name: the events that it was seen to say. Default: none is drawn. */
  readonly said?: Readonly<Record<string, readonly string[]>>
}

/**
 * `flowchart LR` with a box for each service and a round one for each event that somebody says or
 * hears. Names are quoted, so that any name can be drawn.
 */
export function mermaidOf({ services, said = {} }: Flow): string {
  const events = new Map<string, string>()
  const eventNode = (name: string): string => {
    const node = events.get(name) ?? `e${events.size}`
    events.set(name, node)
    return node
  }
  const edges: string[] = []
  for (const [index, { name, handlers }] of services.entries()) {
    const service = `s${index}`
    for (const event of said[name] ?? []) edges.push(`  ${service} --> ${eventNode(event)}`)
    for (const event of handlers.keys()) edges.push(`  ${eventNode(event)} --> ${service}`)
  }
  const boxes = services.map(({ name }, index) => `  s${index}["${escaped(name)}"]`)
  const rounds = [...events].map(([name, node]) => `  ${node}(["${escaped(name)}"])`)
  return ['flowchart LR', ...boxes, ...rounds, ...edges, ''].join('\n')
}

function escaped(name: string): string {
  return name.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}

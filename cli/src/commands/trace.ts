import { brokersOption, type Command, jsonOption } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { openInspector } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { eventTrees } from '../trace/event-tree.ts'
import { readChain } from '../trace/read-chain.ts'
import { traceLines } from '../trace/trace-lines.ts'

export const command: Command = {
  positionals: [{ name: 'id', text: 'a correlation id, or the id of an event', required: true }],
  options: { brokers: brokersOption, json: jsonOption },
  notes: [
    'Under each event stand the services that heard it, with where the time went: in the ' +
      'outbox until Kafka had it, in Kafka, in the queue of its key, in the handler, and between ' +
      'attempts. Under a service stand its errors and effects, and the events that it said ' +
      'because of it.',
    'Services tell the steps on the topic millrace.traces, which keeps them for six hours. Of ' +
      'an older chain the records themselves still tell who said what because of what, as far as ' +
      'their topics keep them.',
  ],
  examples: [
    'millrace trace 01a1fdd4-2912-7dd4-955a-61f96d00aa31',
    'millrace trace order-7 --json | jq .',
  ],
  async run(input, terminal) {
    await using inspector = openInspector(input, terminal)
    const id = input.positionals[0] ?? ''
    const chain = await waitFor(terminal, 'reading traces', () => readChain(inspector, id))
    if (chain.steps.length === 0) {
      throw new CommandFailure(
        `nothing is known of "${id}": it is no correlation id and no event of the last hours, or ` +
          'its service runs with MILLRACE_TRACES below 1',
      )
    }
    const { correlationId, from, dropped } = chain
    const roots = eventTrees(chain.steps)
    if (input.flag('json')) {
      await terminal.print(jsonLine({ correlationId, from, dropped, events: roots }))
      return 0
    }
    const looks = { emphasise: terminal.emphasise, knowsHearings: from === 'traces' }
    for (const line of traceLines(roots, looks)) await terminal.print(line)
    if (from === 'headers') {
      terminal.note('(its steps are gone; this is what the records of its events tell)')
    }
    if (dropped > 0) terminal.note(`(services left out ${dropped} steps of it or of others)`)
    return 0
  },
}

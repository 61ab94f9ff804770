import { asyncApiOf, describeCatalogue, mermaidOf } from '@millrace/kit/evolution'
import { type FoundCatalogue, findCatalogue } from '../catalogue/find-catalogue.ts'
import { type Command, UsageError } from '../command.ts'
import { nearest } from '../nearest.ts'

/** What it prints, by the name of the format. */
const formats: Readonly<Record<string, (found: FoundCatalogue) => string>> = {
  description: ({ catalogue }) => json(describeCatalogue(catalogue)),
  asyncapi: ({ system, catalogue, services }) =>
    json(asyncApiOf(catalogue, { title: system.title, version: '1.0.0', services })),
  'json-schema': ({ catalogue }) =>
    json(
      Object.fromEntries(
        describeCatalogue(catalogue).events.map(({ event, fields, payload }) => [
          event,
          { fields: fields.said, payload: payload.said },
        ]),
      ),
    ),
  mermaid: ({ services }) => mermaidOf({ services }).trimEnd(),
}

export const command: Command = {
  positionals: [
    {
      name: 'system',
      text: 'its directory under systems/, or a path to a file that exports it',
      required: true,
    },
  ],
  options: {
    format: {
      kind: 'text',
      value: 'NAME',
      text: 'description, asyncapi, json-schema or mermaid (default: description)',
    },
    catalogue: { kind: 'text', value: 'NAME', text: 'which, where the system has several' },
  },
  notes: [
    'The description is what "millrace check --against" compares with: keep it in the ' +
      'repository. ' +
      'The AsyncAPI document is of version 3.0; the Mermaid chart shows which service hears what.',
  ],
  examples: [
    'millrace catalogue todo > catalogue.json',
    'millrace catalogue todo --format asyncapi > asyncapi.json',
    'millrace catalogue todo --format mermaid',
  ],
  async run(input, terminal) {
    const format = input.text('format') ?? 'description'
    const print = formats[format]
    if (print === undefined) {
      const names = Object.keys(formats)
      const guess = nearest(format, names)
      const now =
        guess === undefined ? `it is one of ${names.join(', ')}` : `did you mean "${guess}"?`
      throw new UsageError(`--format is "${format}"; ${now}`)
    }
    const [system = ''] = input.positionals
    await terminal.print(print(await findCatalogue(system, input.text('catalogue'), terminal)))
    return 0
  },
}

/** Indented, so that a version control shows what changed. */
function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

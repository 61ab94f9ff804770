// `@millrace/kit/evolution`: a catalogue as a document, and what a change of it would break.

export { type AsyncApi, asyncApiOf } from './async-api.ts'
export { checkRecords, type RecordsCheck, type UnreadableRecord } from './check-records.ts'
export { type CatalogueProblem, compareCatalogues } from './compare-catalogues.ts'
export {
  type CatalogueDescription,
  describeCatalogue,
  type EventDescription,
  type SchemaDescription,
} from './describe-catalogue.ts'
export { type JsonSchema, type JsonSchemaObject, jsonSchemaOf } from './json-schema.ts'
export { mermaidOf } from './mermaid.ts'
export { readDescription } from './read-description.ts'
export { type Narrowing, narrowings } from './schema-change.ts'

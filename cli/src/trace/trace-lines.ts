import { printableText } from '../output/printable.ts'
import type { Terminal } from '../output/terminal.ts'
import type { Hearing, ToldStep, TracedEvent } from './event-tree.ts'

export interface Looks {
  readonly emphasise: Terminal['emphasise']
  /** False where nothing is known of who heard an event. */
  readonly knowsHearings: boolean
}

interface Branch {
  readonly head: string
  readonly notes: readonly string[]
  readonly below: readonly Branch[]
}

/** A chain as lines: under each event who heard it, under that what it caused. */
export function traceLines(roots: readonly TracedEvent[], looks: Looks): readonly string[] {
  return roots.flatMap((root, index) => [
    ...(index === 0 ? [] : ['']),
    ...branchLines(eventBranch(root, looks), '', ''),
  ])
}

function branchLines({ head, notes, below }: Branch, first: string, rest: string): string[] {
  const noteIndent = `${rest}${below.length > 0 ? '│  ' : '   '}`
  return [
    `${first}${head}`,
    ...notes.map((note) => `${noteIndent}${note}`),
    ...below.flatMap((branch, index) => {
      const isLast = index === below.length - 1
      return branchLines(
        branch,
        `${rest}${isLast ? '└─ ' : '├─ '}`,
        `${rest}${isLast ? '   ' : '│  '}`,
      )
    }),
  ]
}

function eventBranch(event: TracedEvent, looks: Looks): Branch {
  const { emphasise, knowsHearings } = looks
  const { type, id, saidBy, saidAtMs, outboxMs, hearings, missingCause } = event
  const by = saidBy === null ? '' : ` said by ${printableText(saidBy)}`
  const at = saidAtMs === null ? '' : ` at ${new Date(saidAtMs).toISOString()}`
  const name = emphasise('bold', printableText(type ?? `event ${id}`))
  return {
    head: `${name}${by}${at}${outboxMs === null ? '' : `, outbox ${duration(outboxMs)}`}`,
    notes: [
      ...(missingCause === null ? [] : [`caused by ${printableText(missingCause)}, not told here`]),
      ...(hearings.length > 0 || !knowsHearings
        ? []
        : [event.isSent ? 'heard by nobody yet' : 'not sent yet']),
    ],
    below: [
      ...hearings.map((hearing) => hearingBranch(hearing, looks)),
      ...event.caused.map((caused) => eventBranch(caused, looks)),
    ],
  }
}

function hearingBranch(hearing: Hearing, looks: Looks): Branch {
  const { emphasise } = looks
  const { service, outcome, attempts, notes, caused } = hearing
  const isWell = outcome === 'handled' || outcome === 'repeated'
  const how = emphasise(isWell ? 'green' : 'red', outcome)
  const tries = attempts.length > 1 ? ` after ${attempts.length} attempts` : ''
  const failed = attempts.filter((attempt) => attempt.outcome === 'failed')
  const lines = [
    ...failed.map((attempt) => ({
      atMs: attempt.startedAtMs + (attempt.tookMs ?? 0),
      text: `attempt ${attempt.number} failed after ${duration(attempt.tookMs ?? 0)}: ${printableText(
        attempt.reason ?? 'it did not say why',
      )}`,
    })),
    ...notes.map((note) => ({ atMs: note.atMs, text: noteOf(note) })),
  ].sort((a, b) => a.atMs - b.atMs)
  return {
    head: `${printableText(service)}: ${how}${tries}${waits(hearing)}`,
    notes: lines.map(({ text }) => text),
    below: caused.map((event) => eventBranch(event, looks)),
  }
}

/** Where the time went; what is not known, or was nothing, is left out. */
function waits({ kafkaMs, isSkewed, queueMs, handlerMs, retryMs, attempts }: Hearing): string {
  const parts = [
    ...(kafkaMs === null ? [] : [`Kafka ${isSkewed ? '? (clocks differ)' : duration(kafkaMs)}`]),
    ...(queueMs === null ? [] : [`queue ${duration(queueMs)}`]),
    ...(attempts.length === 0 ? [] : [`handler ${duration(handlerMs)}`]),
    ...(attempts.length > 1 ? [`between attempts ${duration(retryMs)}`] : []),
  ]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function noteOf(note: ToldStep): string {
  const reason = note.reason === undefined ? '' : `: ${printableText(note.reason)}`
  const due = note.dueAtMs === undefined ? '' : `, next at ${new Date(note.dueAtMs).toISOString()}`
  switch (note.step) {
    case 'effect': {
      const took = note.tookMs === undefined ? '' : `, ${duration(note.tookMs)}`
      return `effect ${printableText(note.name ?? '')}: ${note.outcome ?? '?'}${took}`
    }
    case 'delayed':
      return `waits for its next attempt${due}`
    case 'parked':
      return `put aside as ${note.state ?? 'parked'}${reason}${due}`
    case 'rejected':
      return `rejected${reason}`
    default:
      return `${note.step} at ${new Date(note.atMs).toISOString()}`
  }
}

/** `3 ms`, `1.25 s`, `4 min 10 s`: three figures say enough. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${Number((ms / 1_000).toPrecision(3))} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

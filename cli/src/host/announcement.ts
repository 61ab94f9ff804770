import { relative, sep } from 'node:path'
import { table } from '../output/table.ts'
import type { Emphasis } from '../output/terminal.ts'
import type { HostOverview, SystemOverview } from './overview.ts'

export interface AnnouncementStyle {
  readonly currentDirectory: string
  readonly emphasise: (style: Emphasis, text: string) => string
}

/** What `start` prints once everything runs: where it is, what to try, how to stop. */
export function announcement(
  overview: HostOverview,
  { currentDirectory, emphasise }: AnnouncementStyle,
): readonly string[] {
  const { systems, dataDirectory, logFile, lines } = overview
  const bold = (text: string) => emphasise('bold', text)
  const near = (path: string) => nearPath(path, currentDirectory)
  return [
    bold('Millrace runs.'),
    '',
    ...indent(table([{ title: '' }, { title: '' }, { title: '' }], rowsOf(overview, emphasise))),
    '',
    ...systems.flatMap((system) => hintLines(system, bold)),
    `Data lies in ${near(dataDirectory)}, the log in ${near(logFile)}.`,
    `Stop with Ctrl-C; the next start finds everything. Start over with: ${lines.reset}`,
  ]
}

type Row = readonly string[]

const kafkaKinds = {
  embedded: 'embedded broker',
  existing: 'from KAFKA_BROKERS',
  off: 'KAFKA_ENABLED is false: services keep their events',
} as const

function rowsOf(overview: HostOverview, emphasise: AnnouncementStyle['emphasise']): readonly Row[] {
  const { startPage, kafka, systems } = overview
  const dim = (text: string) => emphasise('dim', text)
  return [
    ['start page', startPage, dim('everything below, live')],
    ['Kafka', kafka.brokers.join(', ') || '–', dim(kafkaKinds[kafka.kind])],
    ...systems.flatMap((system) => [
      ...system.services.map(({ name, url }): Row => [name, url, dim(system.name)]),
      ...system.servers.map(
        ({ name, page, ports }): Row => [
          name,
          page ?? ports[0] ?? '',
          dim((page === undefined ? ports.slice(1) : ports).join(', ')),
        ],
      ),
    ]),
  ]
}

function hintLines(system: SystemOverview, bold: (text: string) => string): readonly string[] {
  const [first] = system.tryFirst
  if (first === undefined) return []
  return [
    `${bold(`Try first (${system.name}):`)} ${first.text}`,
    '',
    ...indent(first.command.split('\n')),
    '',
  ]
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}

/** A path as one would type it here. */
export function nearPath(path: string, currentDirectory: string): string {
  const near = relative(currentDirectory, path)
  return near === '' || near.startsWith(`..${sep}..`) || near.length > path.length ? path : near
}

import type { CommandTable } from './command.ts'

/** All commands. A command's file is loaded when it runs, so that `topics` does not pay for `start`. */
export const commands: CommandTable = {
  start: {
    summary: 'start the broker, the services of a system, and the start page',
    load: async () => (await import('./commands/start.ts')).command,
  },
  run: {
    summary: 'run one service of a system in this process, as in production',
    load: async () => (await import('./commands/run.ts')).command,
  },
  topics: {
    summary: 'list the topics of a Kafka, or make those of a system',
    load: async () => (await import('./commands/topics.ts')).command,
  },
  tail: {
    summary: 'print the last records of a topic, a record a line',
    load: async () => (await import('./commands/tail.ts')).command,
  },
  groups: {
    summary: 'list consumer groups, with how far each has read and what is left',
    load: async () => (await import('./commands/groups.ts')).command,
  },
  services: {
    summary: 'list the services that run, with how they are',
    load: async () => (await import('./commands/services.ts')).command,
  },
  trace: {
    summary: 'show what became of an event and of all that it caused, as a tree',
    load: async () => (await import('./commands/trace.ts')).command,
  },
  'dead-letters': {
    summary: 'list what services have put aside, and why',
    load: async () => (await import('./commands/dead-letters.ts')).command,
  },
  redrive: {
    summary: 'give dead letters to their handler again',
    load: async () => (await import('./commands/redrive.ts')).command,
  },
  discard: {
    summary: 'give dead letters up for good',
    load: async () => (await import('./commands/discard.ts')).command,
  },
  edit: {
    summary: 'give a dead letter another payload, so that it can be redriven',
    load: async () => (await import('./commands/edit.ts')).command,
  },
  pause: {
    summary: 'keep a handler of a service from running, until it is resumed',
    load: async () => (await import('./commands/pause.ts')).command,
  },
  resume: {
    summary: 'let a paused handler go on',
    load: async () => (await import('./commands/resume.ts')).command,
  },
  replay: {
    summary: 'give a service the past of its events once more',
    load: async () => (await import('./commands/replay.ts')).command,
  },
  rebuild: {
    summary: 'build a projection anew, while the old one is read',
    load: async () => (await import('./commands/rebuild.ts')).command,
  },
  jobs: {
    summary: 'list what services were asked for, and how far it is; or end it',
    load: async () => (await import('./commands/jobs.ts')).command,
  },
  catalogue: {
    summary: 'print the events of a system: for comparing, AsyncAPI, JSON Schema, or a chart',
    load: async () => (await import('./commands/catalogue.ts')).command,
  },
  check: {
    summary: 'say what a changed catalogue would break: against a former one, and real records',
    load: async () => (await import('./commands/check.ts')).command,
  },
  shadow: {
    summary: 'say how a changed service differs from the present one over real history',
    load: async () => (await import('./commands/shadow.ts')).command,
  },
  reset: {
    summary: 'start over: empty the broker and the databases of a data directory together',
    load: async () => (await import('./commands/reset.ts')).command,
  },
}

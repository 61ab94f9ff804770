import { destination, pino } from 'pino'

/**
 * What the kit asks of a logger; pino's fits. Fields first, then a sentence. Never a payload,
 * a password or a token: events are named by their ids.
 */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A logger whose every line also carries `fields`. */
  child(fields: object): Log
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

export interface LogOptions {
  readonly name: string
  readonly level: LogLevel
  /** Where the lines go, each a JSON object with its line feed. Default: standard output. */
  readonly sink?: LogSink
}

/** Takes a line at a time: a file of a host's, for example. */
export interface LogSink {
  write(line: string): void
}

/** Lines of JSON, written as they come. */
export function openLog({ name, level, sink = destination(1) }: LogOptions): Log {
  return pino({ name, level }, sink)
}

/** Says nothing: for tests, and where the host logs by itself. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

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
  /** Where the lines go, each a JSON object. Default: standard output. */
  readonly file?: string
}

/** Lines of JSON, written as they come. */
export function openLog({ name, level, file }: LogOptions): Log {
  const stream = file === undefined ? destination(1) : destination({ dest: file, mkdir: true })
  return pino({ name, level }, stream)
}

/** Says nothing: for tests, and where the host logs by itself. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

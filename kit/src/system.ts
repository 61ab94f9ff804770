/**
 * A system is a value too: its services, where they listen by default, what stands in for the
 * outside world in development, and what to try first. `millrace start <system>` and the start
 * page read nothing else.
 */
import type { AnyServiceDefinition } from './service.ts'

export interface System {
  readonly name: string
  /** One sentence that says what the system does. */
  readonly title: string
  readonly services: readonly ServicePlace[]
  /** Stands in for the outside world in development, for example a mailbox for SMTP. */
  readonly development: readonly DevelopmentServer[]
  /**
   * The variables by which the parts find each other in development, from the addresses that
   * the host gave them. A variable that the user has set wins.
   */
  readonly variables: (address: AddressOf) => Readonly<Record<string, string>>
  /** What a newcomer does first, as lines to paste. */
  readonly tryFirst: (address: AddressOf) => readonly Hint[]
  /** How to make something fail, and to see it retried, parked and redriven. */
  readonly failOnPurpose?: (address: AddressOf) => readonly Hint[]
}

export interface ServicePlace {
  readonly service: AnyServiceDefinition
  /** The port of its HTTP server; `--port-offset` is added to it. */
  readonly port: number
}

export interface DevelopmentServer {
  readonly name: string
  readonly title: string
  /** Named ports, each moved by `--port-offset`: `{ http: 8025, smtp: 1025 }`. */
  readonly ports: Readonly<Record<string, number>>
  /** Which of `ports` has a page for the browser. */
  readonly page?: string
  readonly start: (ports: Readonly<Record<string, number>>) => Promise<AsyncDisposable>
}

/** `address('auth-service')` → `http://localhost:8084`; `address('mailbox', 'smtp')` → `localhost:1025`. */
export type AddressOf = (name: string, port?: string) => string

export interface Hint {
  /** What it does, and what you should see. */
  readonly text: string
  readonly command: string
}

/** Declares a system. */
export function defineSystem(system: System): System {
  return system
}

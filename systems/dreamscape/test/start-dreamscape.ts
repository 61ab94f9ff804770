// All of DreamScape in this process, on ports that the system chooses: for the scenario and tests.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyRunningService,
  type AnyServiceDefinition,
  type Environment,
  type Observer,
  silentLog,
  startService,
} from '@millrace/kit'
import { type Mailbox, startMailbox } from '@millrace/mail/mailbox'
import { type Provider, startProvider } from '../provider/provider.ts'
import { aiService } from '../services/ai/ai-service.ts'
import { analyticsService } from '../services/analytics/analytics-service.ts'
import { authService } from '../services/auth/auth-service.ts'
import { notificationService } from '../services/notification/notification-service.ts'
import { paymentService } from '../services/payment/payment-service.ts'
import { userService } from '../services/user/user-service.ts'
import { voyageService } from '../services/voyage/voyage-service.ts'

export interface DreamscapeOptions {
  /** Where Kafka is, and `DATABASE_URL`, where that is wanted. */
  readonly env: Environment
  /** What is to be seen of a service. Default: nothing. */
  readonly observerOf?: (service: AnyServiceDefinition) => Observer
}

export interface RunningDreamscape extends AsyncDisposable {
  readonly mailbox: Mailbox
  readonly provider: Provider
  /** By its name without `dreamscape-` and `-service`: `auth`, `user`, … */
  readonly services: ReadonlyMap<string, AnyRunningService>
  /** Where a service listens, by the same name. */
  readonly urlOf: (name: string) => string
}

/** Auth and voyage first: the others are told where they are. */
const order = [
  authService,
  voyageService,
  userService,
  paymentService,
  aiService,
  notificationService,
  analyticsService,
]

export async function startDreamscape(options: DreamscapeOptions): Promise<RunningDreamscape> {
  await using starting = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-dreamscape-'))
  starting.defer(() => rm(directory, { recursive: true }))
  const mailbox = starting.use(await startMailbox({ http: 0, smtp: 0 }))
  const provider = starting.use(await startProvider({ port: 0 }))
  const services = new Map<string, AnyRunningService>()
  const urlOf = (name: string) =>
    services.get(name)?.servers.flatMap(({ urls = [] }) => urls)[0] ?? 'http://not.started.yet'
  for (const definition of order) {
    const observer = options.observerOf?.(definition)
    const running = await startService(definition, {
      directory,
      log: silentLog,
      env: {
        ...options.env,
        SERVICE_TOKEN: 'of-the-scenario',
        AUTH_SERVICE_URL: urlOf('auth'),
        VOYAGE_SERVICE_URL: urlOf('voyage'),
        PAYMENT_PROVIDER_URL: provider.url,
        MESSAGE_GATEWAY_URL: mailbox.url,
        SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
      },
      ...(observer === undefined ? {} : { observer }),
    })
    services.set(definition.name.replace(/^dreamscape-|-service$/g, ''), starting.use(running))
  }
  const running = starting.move()
  const dispose = () => running.disposeAsync()
  return { mailbox, provider, services, urlOf, [Symbol.asyncDispose]: dispose }
}

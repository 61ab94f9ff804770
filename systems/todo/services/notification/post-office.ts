import { type Effect, Outage, type ResourceStart } from '@millrace/kit'
import { mailer, type SendMail } from '@millrace/mail/mailer'
import { mailsInFlightMax } from '../../limits.ts'
import { notificationSettings } from '../../settings.ts'
import { AuthClient, type Person } from '../auth/client.ts'
import { Semaphore } from '../semaphore.ts'
import { type MailText, messageIdOf } from './mails.ts'

export interface Delivery {
  /** The handler's own: it remembers for the event what was sent. */
  readonly effect: Effect
  readonly signal: AbortSignal
}

/**
 * All that the notification service needs of the world outside: who people are, and mail.
 *
 * N1. A mail is sent once for an event and a person, but for a crash between the SMTP server's
 *     acceptance and the row that records it.
 * N2. At most `mailsInFlightMax` mails are in that window at any moment.
 */
export class PostOffice {
  readonly #people: AuthClient
  readonly #send: SendMail
  readonly #turns = new Semaphore({
    permits: mailsInFlightMax,
    // Those who wait are handlers, and the kit runs only so many at once.
    waitingMax: Number.POSITIVE_INFINITY,
  })

  constructor({ people, send }: { people: AuthClient; send: SendMail }) {
    this.#people = people
    this.#send = send
  }

  /** Throws where auth does not know the user (yet), or an `Outage` where auth does not answer. */
  async findPerson(userId: number, signal: AbortSignal): Promise<Person> {
    const outcome = await this.#people.findPerson(userId, signal)
    if (outcome.kind === 'unavailable') throw new Outage(outcome.reason)
    if (outcome.kind === 'unknown') throw new Error(`auth knows no user ${userId} (yet)`)
    return outcome.person
  }

  async mail(person: Person, { subject, text }: MailText, delivery: Delivery): Promise<void> {
    const { userId, username, email } = person
    await this.#turns.run(async () => {
      delivery.signal.throwIfAborted()
      // The row that records the mail is written within the turn, so that N2 holds.
      await delivery.effect('email', `user-${userId}`, (key) =>
        this.#send({
          to: { name: username, address: email },
          subject,
          text,
          messageId: messageIdOf(key),
        }),
      )
    })
  }
}

/**
 * The post office that the service's variables describe. It holds nothing that must be closed.
 * Throws `config-invalid` where a variable is missing.
 */
export function postOffice({ env }: Pick<ResourceStart, 'env'>): PostOffice {
  const settings = notificationSettings(env)
  return new PostOffice({
    people: new AuthClient(settings),
    send: mailer({
      smtpUrl: settings.smtpUrl,
      from: settings.mailFrom,
      connectionsMax: mailsInFlightMax,
    }),
  })
}

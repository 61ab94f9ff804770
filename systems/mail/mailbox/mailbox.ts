// The development mailbox: an SMTP server that keeps what it gets, a gateway that takes SMS and
// push messages over HTTP, and a page that shows them all. It stands in for the real world's
// servers; production names those instead.
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import { z } from 'zod'
import { mailboxMailsMax } from '../limits.ts'
import { Mails, type ReceivedMail } from './mails.ts'
import { type MailboxView, mailboxPage } from './page.ts'
import { SmtpSwitch } from './smtp-switch.ts'

export interface Mailbox extends AsyncDisposable {
  /** Where its page is. */
  readonly url: string
  readonly smtpPort: number
  /** Newest first. */
  readonly mails: readonly ReceivedMail[]
  /** Resolves when so many mails have arrived since the start. */
  arrived(total: number): Promise<void>
  /** Nothing listens on the SMTP port until it is brought up again. */
  takeDown(): Promise<void>
  bringUp(): Promise<void>
  /** Whether mail for refused.test is refused from now on. */
  refuse(refusing: boolean): void
}

export interface MailboxOptions {
  /** The ports, 0 for one that the system chooses. */
  readonly http: number
  readonly smtp: number
  readonly mailsMax?: number
}

/** Starts the mailbox on 127.0.0.1. Rejects with the system's error where a port is taken. */
export async function startMailbox({
  mailsMax = mailboxMailsMax,
  ...ports
}: MailboxOptions): Promise<Mailbox> {
  const mails = new Mails(mailsMax)
  const smtp = await SmtpSwitch.open(ports.smtp, (raw, to) => mails.receive(raw, to, Date.now()))
  const http = mailboxHttp(mails, smtp)
  try {
    await http.listen({ port: ports.http, host: '127.0.0.1' })
  } catch (error) {
    await smtp[Symbol.asyncDispose]()
    throw error
  }
  return {
    url: http.listeningOrigin,
    smtpPort: smtp.port,
    get mails() {
      return mails.newestFirst
    },
    arrived: (total) => mails.arrived(total),
    takeDown: () => smtp.takeDown(),
    bringUp: () => smtp.bringUp(),
    refuse: (refusing) => smtp.refuse(refusing),
    async [Symbol.asyncDispose]() {
      await http.close()
      await smtp[Symbol.asyncDispose]()
    },
  }
}

function mailboxHttp(mails: Mails, smtp: SmtpSwitch): FastifyInstance {
  const http = fastify({ forceCloseConnections: true })
  const view = (): MailboxView => ({
    smtp: { isUp: smtp.isUp, port: smtp.port, refusing: smtp.refusing },
    received: mails.received,
    mails: mails.newestFirst,
  })
  // The page's own forms post no body; what a browser sends with them is not looked at.
  http.addContentTypeParser('application/x-www-form-urlencoded', (_request, body, done) => {
    body.resume()
    done(null)
  })
  http.addHook('onSend', async (_request, reply) => {
    reply.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    )
  })
  for (const via of ['sms', 'push'] as const) {
    http.post(`/${via}`, async ({ body }, reply) => {
      const { data, error } = textMessage.safeParse(body)
      if (error !== undefined) return reply.code(422).send(`${z.prettifyError(error)}\n`)
      mails.take({ via, ...data }, Date.now())
      return reply.code(202).send({ accepted: data.key })
    })
  }
  http.get('/', (_request, reply) => reply.type('text/html').send(mailboxPage(view())))
  http.get('/mails', () => mails.newestFirst)
  http.get('/smtp', () => view().smtp)
  for (const [path, turn] of [
    ['/smtp/down', () => smtp.takeDown()],
    ['/smtp/up', () => smtp.bringUp()],
    ['/refusals/on', () => smtp.refuse(true)],
    ['/refusals/off', () => smtp.refuse(false)],
  ] as const) {
    http.post(path, async (request, reply) => {
      if (comesFromAnotherSite(request)) return reply.code(403).send('only from its own page\n')
      await turn()
      const fromPage = request.headers.accept?.includes('text/html') ?? false
      return fromPage ? reply.redirect('/', 303) : view().smtp
    })
  }
  return http
}

const textMessage = z.object({ to: z.string().min(1), text: z.string(), key: z.string().min(1) })

/** Any page of the web can post to localhost; a browser says when one does. */
function comesFromAnotherSite({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}

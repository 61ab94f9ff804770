import { once } from 'node:events'
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server'
import { mailboxMailBytesMax } from '../limits.ts'

/** Recipients of this domain are refused for good (550) while `refusing`, to see an event parked. */
export const refusedDomain = 'refused.test'

/** A connection that is idle when the server goes down has this long to end by itself. */
const closeTimeoutMs = 100

export type ReceiveMail = (raw: Uint8Array, to: readonly string[]) => Promise<void>

/**
 * An SMTP server that can be taken down and brought up again on the same port.
 *
 * M1. While it is down nothing listens: a sender's connection is refused.
 * M2. Switches run one after another; the last one asked for is the state in the end.
 */
export class SmtpSwitch implements AsyncDisposable {
  readonly #receive: ReceiveMail
  #port: number
  #server: SMTPServer | undefined
  #refusing = true
  #switching: Promise<void> = Promise.resolve()

  private constructor(port: number, receive: ReceiveMail) {
    this.#port = port
    this.#receive = receive
  }

  /** Port 0 lets the system choose; `port` then says which. */
  static async open(port: number, receive: ReceiveMail): Promise<SmtpSwitch> {
    const opened = new SmtpSwitch(port, receive)
    await opened.bringUp()
    return opened
  }

  get isUp(): boolean {
    return this.#server !== undefined
  }

  get port(): number {
    return this.#port
  }

  /** Whether mail for `refusedDomain` is refused. */
  get refusing(): boolean {
    return this.#refusing
  }

  refuse(refusing: boolean): void {
    this.#refusing = refusing
  }

  bringUp(): Promise<void> {
    return this.#switch(async () => {
      if (this.#server) return
      const server = this.#smtpServer()
      // A port that is taken rejects below; a sender that hangs up is the sender's trouble.
      server.on('error', () => {})
      const listener = server.listen(this.#port, '127.0.0.1')
      await once(listener, 'listening')
      const address = listener.address()
      if (typeof address === 'object' && address !== null) this.#port = address.port
      this.#server = server
    })
  }

  takeDown(): Promise<void> {
    return this.#switch(async () => {
      const server = this.#server
      this.#server = undefined
      if (server) await new Promise<void>((resolve) => server.close(resolve))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.takeDown()
  }

  #switch(change: () => Promise<void>): Promise<void> {
    const switched = this.#switching.then(change)
    this.#switching = switched.catch(() => {})
    return switched
  }

  #smtpServer(): SMTPServer {
    return new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: closeTimeoutMs,
      size: mailboxMailBytesMax,
      onRcptTo: ({ address }, _session, answer) => {
        const refused = this.#refusing && address.toLowerCase().endsWith(`@${refusedDomain}`)
        answer(refused ? reply(550, `<${address}> is refused here, on purpose`) : null)
      },
      onData: (stream, { envelope }, answer) => {
        const to = envelope.rcptTo.map(({ address }) => address)
        const kept = readMail(stream).then((raw) => this.#receive(raw, to))
        kept.then(() => answer(null, 'kept'), answer)
      },
    })
  }
}

async function readMail(stream: SMTPServerDataStream): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) if (!stream.sizeExceeded) chunks.push(Buffer.from(chunk))
  if (stream.sizeExceeded) throw reply(552, `a mail has at most ${mailboxMailBytesMax} bytes here`)
  return Buffer.concat(chunks)
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

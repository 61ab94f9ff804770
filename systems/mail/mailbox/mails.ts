import PostalMime from 'postal-mime'

/** A message that is no mail: what a gateway for text messages is given. */
export interface TextMessage {
  readonly via: 'sms' | 'push'
  /** A telephone number, or the name of a device. */
  readonly to: string
  readonly text: string
  /** The same for the same message sent again. */
  readonly key: string
}

/** A mail, or another message, as a reader sees it. */
export interface ReceivedMail {
  readonly via: 'email' | TextMessage['via']
  /** Counts the messages that arrived since the mailbox was started, from 1. */
  readonly number: number
  /** RFC 3339. */
  readonly receivedAt: string
  /** Empty for what is no mail. */
  readonly from: string
  /** The recipients that the SMTP server accepted, not those that the header names. */
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  /** Of an SMS or a push message: its key. */
  readonly messageId: string
}

/**
 * The mails and messages that arrived, in memory, the latest `mailsMax` of them.
 *
 * B1. A mail is in the list before its sender hears that it was accepted.
 * B2. The oldest mail goes when one too many arrives; `received` counts all.
 * B3. An SMS or a push message whose key is in the list already is accepted, and not listed again.
 * B4. Who waits for a number of mails is told when the last of them is in the list.
 */
export class Mails {
  readonly #mailsMax: number
  readonly #mails: ReceivedMail[] = []
  #waiting: readonly { readonly total: number; readonly resolve: () => void }[] = []
  #received = 0

  constructor(mailsMax: number) {
    this.#mailsMax = mailsMax
  }

  /** How many arrived since the start, the forgotten ones too. */
  get received(): number {
    return this.#received
  }

  get newestFirst(): readonly ReceivedMail[] {
    return this.#mails.toReversed()
  }

  /** Resolves when so many mails have arrived since the start. */
  arrived(total: number): Promise<void> {
    if (this.#received >= total) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting = [...this.#waiting, { total, resolve }]
    })
  }

  async receive(raw: Uint8Array, to: readonly string[], nowMs: number): Promise<void> {
    const { from, subject, text, messageId } = await PostalMime.parse(raw)
    this.#keep({
      via: 'email',
      receivedAt: new Date(nowMs).toISOString(),
      from: from?.address ?? '',
      to,
      subject: subject ?? '',
      text: text?.trimEnd() ?? '',
      messageId: messageId ?? '',
    })
  }

  take({ via, to, text, key }: TextMessage, nowMs: number): void {
    const isKnown = this.#mails.some((mail) => mail.via === via && mail.messageId === key)
    if (isKnown) return // B3
    const receivedAt = new Date(nowMs).toISOString()
    this.#keep({ via, receivedAt, from: '', to: [to], subject: '', text, messageId: key })
  }

  #keep(mail: Omit<ReceivedMail, 'number'>): void {
    this.#received += 1
    this.#mails.push({ number: this.#received, ...mail })
    if (this.#mails.length > this.#mailsMax) this.#mails.shift()
    this.#tell()
  }

  #tell(): void {
    const told = this.#waiting.filter(({ total }) => total <= this.#received)
    this.#waiting = this.#waiting.filter(({ total }) => total > this.#received)
    for (const { resolve } of told) resolve()
  }
}

import PostalMime from 'postal-mime'

/** A mail as a reader sees it. */
export interface ReceivedMail {
  /** Counts the mails that arrived since the mailbox was started, from 1. */
  readonly number: number
  /** RFC 3339. */
  readonly receivedAt: string
  readonly from: string
  /** The recipients that the SMTP server accepted, not those that the header names. */
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly messageId: string
}

/**
 * The mails that arrived, in memory, the latest `mailsMax` of them.
 *
 * B1. A mail is in the list before its sender hears that it was accepted.
 * B2. The oldest mail goes when one too many arrives; `received` counts all.
 * B3. Who waits for a number of mails is told when the last of them is in the list.
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
    this.#received += 1
    this.#mails.push({
      number: this.#received,
      receivedAt: new Date(nowMs).toISOString(),
      from: from?.address ?? '',
      to,
      subject: subject ?? '',
      text: text?.trimEnd() ?? '',
      messageId: messageId ?? '',
    })
    if (this.#mails.length > this.#mailsMax) this.#mails.shift()
    this.#tell()
  }

  #tell(): void {
    const told = this.#waiting.filter(({ total }) => total <= this.#received)
    this.#waiting = this.#waiting.filter(({ total }) => total > this.#received)
    for (const { resolve } of told) resolve()
  }
}

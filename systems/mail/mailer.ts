// Sends one mail over SMTP, and says what a failure means for the event behind it.
import { Outage } from '@millrace/kit'
import { createTransport } from 'nodemailer'
import { smtpAnswerMs, smtpIdleMs } from './limits.ts'

export interface OutgoingMail {
  readonly to: { readonly name: string; readonly address: string }
  readonly subject: string
  readonly text: string
  /** With its angle brackets. The same mail sent again has the same. */
  readonly messageId: string
}

export interface MailerOptions {
  /** `smtp://localhost:1025`, or `smtps://user:password@host`. */
  readonly smtpUrl: string
  /** The sender's address. */
  readonly from: string
  /** Mails on their way at once. */
  readonly connectionsMax: number
}

/** Resolves when the SMTP server has accepted the mail. */
export type SendMail = (mail: OutgoingMail) => Promise<void>

/**
 * Connections that are used again for the mails that follow within `smtpIdleMs`. Nodemailer must not
 * send a mail again by itself when the connection breaks: what is sent twice is ours to decide.
 */
export function mailer({ smtpUrl, from, connectionsMax }: MailerOptions): SendMail {
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: connectionsMax,
    maxRequeues: 0,
    idleTimeout: smtpIdleMs,
    connectionTimeout: smtpAnswerMs,
    greetingTimeout: smtpAnswerMs,
    socketTimeout: smtpAnswerMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return async ({ to, subject, text, messageId }) => {
    try {
      await transport.sendMail({ from, to, subject, text, messageId })
    } catch (error) {
      throw explained(smtpFailure(error), { to: to.address, error })
    }
  }
}

/** What a failed attempt to send a mail means. */
export type SmtpFailure =
  /** The server is down, or takes nobody's mail: a mail to anybody would fail alike. */
  | 'outage'
  /** This mail, or this recipient, will never be taken (5xx). */
  | 'refused'
  /** This mail or recipient is not taken now (4xx), for example by greylisting. */
  | 'later'

/** Reads nodemailer's error: the code that the server answered, and to which command. */
export function smtpFailure(error: unknown): SmtpFailure {
  const { code, command, responseCode } = detailsOf(error)
  // 421 closes the whole conversation, whatever it answers (RFC 5321 §3.8).
  if (responseCode === 421) return 'outage'
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA'
  if (responseCode !== undefined && aboutThisMail) return responseCode >= 500 ? 'refused' : 'later'
  // Nodemailer itself refuses an address that it cannot write into an SMTP command.
  if (responseCode === undefined && code === 'EENVELOPE') return 'refused'
  return 'outage'
}

/** The recipient or the mail is refused for good: to try again would only repeat it. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
  readonly retriable = false
}

/**
 * The error for the kit's retries: an outage, a fatal one, or one to try again. Its reason goes to
 * logs and dead letters, which are no place for an address: the event says whose mail it is.
 */
function explained(failure: SmtpFailure, { to, error }: { to: string; error: unknown }): Error {
  const { response, message } = detailsOf(error)
  const reason = (response ?? message).replaceAll(to, '…')
  const options = { cause: error }
  if (failure === 'outage') {
    return new Outage(`the SMTP server takes no mail: ${reason}`, options)
  }
  if (failure === 'refused') {
    return new MailRefused(`the SMTP server refuses the mail: ${reason}`, options)
  }
  return new Error(`the SMTP server does not take the mail now: ${reason}`, options)
}

interface ErrorDetails {
  readonly message: string
  /** The server's own words. */
  readonly response?: string
  readonly code?: unknown
  readonly command?: unknown
  readonly responseCode?: number
}

function detailsOf(error: unknown): ErrorDetails {
  if (!(error instanceof Error)) return { message: String(error) }
  return {
    message: error.message,
    ...('response' in error && typeof error.response === 'string'
      ? { response: error.response }
      : {}),
    code: 'code' in error ? error.code : undefined,
    command: 'command' in error ? error.command : undefined,
    ...('responseCode' in error && typeof error.responseCode === 'number'
      ? { responseCode: error.responseCode }
      : {}),
  }
}

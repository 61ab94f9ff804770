// Every limit of mail, with its reason.

/** Each step of an SMTP conversation: connect, greeting, a command's answer. */
export const smtpAnswerMs = 10_000

/** An SMTP connection is kept for the next mail so long; then nothing is left to be closed. */
export const smtpIdleMs = 1_000

/** The development mailbox forgets the oldest message beyond this. */
export const mailboxMailsMax = 1_000

/** The systems' mails are a few hundred bytes; a larger one is refused with 552. */
export const mailboxMailBytesMax = 256 * 1024

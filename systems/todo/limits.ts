// Every limit of the todo system, with its reason.

/** OWASP's least for argon2id: 19 MiB, two passes, one lane. */
export const passwordMemoryKib = 19_456
export const passwordPasses = 2

/** Two hashes at once use two cores and 38 MiB; the event loop stays free for requests. */
export const hashesAtOnceMax = 2

/** At about 20 ms a hash, the last in this queue waits for a second: past that we say "busy". */
export const hashesWaitingMax = 100

/** Argon2 hashes any length; a longer one is no password but an attack on memory. */
export const passwordLengthMax = 256

/** The seed's own example has a password of four letters. */
export const passwordLengthMin = 4

/** RFC 5321: a path has at most 256 characters, with its angle brackets. */
export const emailLengthMax = 254

export const usernameLengthMax = 64
export const teamNameLengthMax = 100
export const taskTitleLengthMax = 200

/** Members are checked on every request of a team: a list that is read as a whole. */
export const teamMembersMax = 500

/** Tasks that one page of a list holds. */
export const tasksPageMax = 100

/** A working day; there is no refresh, the user logs in again. */
export const tokenLifetimeSeconds = 8 * 60 * 60

/** HS256 wants a key of at least the hash's own length (RFC 7518 §3.2). */
export const tokenSecretBytesMin = 32

/** Guesses at one account from one address, a minute. */
export const loginsPerMinuteMax = 10

/** Auth answers in milliseconds; after this it counts as down. */
export const authAnswerMs = 3_000

/** A token that auth has confirmed is not asked about again for so long. */
export const sessionCachedMs = 30_000

/** Confirmed tokens that are remembered; the oldest goes first. */
export const sessionsCachedMax = 10_000

/**
 * Mails between "given to the SMTP server" and "recorded as sent". What is in this window when
 * the process is killed is sent a second time, so one kill repeats at most one mail.
 */
export const mailsInFlightMax = 1

/** A mail waits its turn behind the others of its service: minutes, where the server is slow. */
export const mailHandlerTimeoutMs = 5 * 60 * 1000

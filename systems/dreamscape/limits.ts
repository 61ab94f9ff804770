// Every limit of DreamScape, with its reason.

/** OWASP's least for argon2id: 19 MiB, two passes, one lane. libuv runs four hashes at once. */
export const passwordMemoryKib = 19_456
export const passwordPasses = 2

/** NIST SP 800-63B: no fewer than 8. A longer one than 256 is no password but an attack. */
export const passwordLengthMin = 8
export const passwordLengthMax = 256

/** RFC 5321: a path has at most 256 characters, with its angle brackets. */
export const emailLengthMax = 254

export const nameLengthMax = 64

/** Guesses before the account is locked, and for how long: a guesser gets 20 an hour. */
export const wrongPasswordsMax = 5
export const lockedMs = 15 * 60 * 1000

/** Guesses at all accounts from one address, a minute: locks are per account. */
export const loginsPerMinuteMax = 60

/** A token cannot be taken back; the refresh token behind it can. */
export const tokenLifetimeSeconds = 15 * 60
export const sessionLifetimeMs = 30 * 24 * 60 * 60 * 1000

/** Long enough to read an e-mail, short enough for a mailbox that somebody else reads later. */
export const resetLifetimeMs = 30 * 60 * 1000

/** Between "auth keeps the password" and "the account is there" lies less than a second. */
export const loginHeldMs = 60_000

/** A neighbour answers in milliseconds; after this it counts as down. */
export const neighbourAnswerMs = 3_000

/** What a booking waits for its payment unless its customer says less. */
export const holdSecondsMax = 15 * 60

export const nightsMax = 30

/** `Prefer: wait` (RFC 7240): a request is open no longer, well below a proxy's patience. */
export const waitSecondsMax = 20

/** How often a booking is looked at for somebody who waits. */
export const waitPollMs = 50

/** A provider that has not answered by then has not said what it did. */
export const providerAnswerMs = 1_500

/** Asked so often whether it charged; then a person must find out, so the event is parked. */
export const chargeAttemptsMax = 3

/** What was done counts towards a liking; more than this tells nothing new. */
export const pointsMax = 1_000

/** Destinations in one recommendation. */
export const recommendedMax = 3

/** From so much on, what somebody has done makes a traveller of a dreamer. */
export const travellerPointsMin = 10

/** Mails on their way at once: see `effect` for what a crash may repeat. */
export const mailsInFlightMax = 2

/** Charges and refunds that the provider of development shows. */
export const providerEntriesMax = 100

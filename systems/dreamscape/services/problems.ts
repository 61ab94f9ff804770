// Every refusal of DreamScape, as problem details (RFC 9457): a status, a type for programs, and
// a sentence for people that says what, which, and what now.
import { Problem } from '@millrace/kit/http'

export const problems = {
  emailTaken: (email: string) =>
    problem(409, 'email-taken', `${email} is registered already: log in, or use another address`),
  /** The same for an unknown user and a wrong password: nobody learns who is registered. */
  wrongPassword: () =>
    unauthorized('wrong-password', 'no account has this e-mail address with this password'),
  locked: (until: string) =>
    problem(
      423,
      'account-locked',
      `too many wrong passwords: the account is locked until ${until}, or until its password is ` +
        'reset (POST /auth/password/reset)',
    ),
  resetInvalid: () =>
    problem(422, 'reset-invalid', 'this reset has expired or was used: ask for another one'),
  sessionEnded: () =>
    unauthorized('session-ended', 'this session has ended, or its token was used: log in again'),

  tokenMissing: () =>
    unauthorized('token-missing', 'send "Authorization: Bearer <token>"; log in to get a token'),
  tokenInvalid: () =>
    unauthorized('token-invalid', 'the token is not one of ours: log in to get one'),
  tokenExpired: () =>
    unauthorized('token-expired', 'the token has expired: refresh it, or log in again'),
  servicesOnly: () => problem(403, 'services-only', 'only the services of the system may ask this'),
  unavailable: (reason: string) =>
    problem(503, 'neighbour-unavailable', `${reason}; nothing was changed, try again`),

  unknownAccount: () =>
    problem(404, 'unknown-account', 'there is no such account (any more): register at POST /users'),
  unknownOffer: (what: 'flight' | 'hotel', id: string) =>
    problem(404, 'unknown-offer', `there is no ${what} "${id}"; GET /search lists them`),
  nothingSelected: () =>
    problem(409, 'nothing-selected', 'select a flight first: POST /selections/flight'),
  elsewhere: (hotelId: string, destination: string) =>
    problem(409, 'hotel-elsewhere', `hotel "${hotelId}" is not in ${destination}: select another`),
  full: (flightId: string) =>
    problem(409, 'flight-full', `flight "${flightId}" has no seat left: select another`),
  unknownBooking: (bookingId: string) =>
    problem(404, 'unknown-booking', `you have no booking "${bookingId}"; GET /bookings lists them`),
  wrongState: (bookingId: string, state: string, wanted: string) =>
    problem(409, 'wrong-state', `booking "${bookingId}" is ${state}, and cannot be ${wanted}`),
  dearer: (bookingId: string) =>
    problem(409, 'dearer', `"${bookingId}" is paid: it can become shorter, not longer`),
  unknownPayment: (paymentId: string) =>
    problem(404, 'unknown-payment', `you made no payment "${paymentId}"`),
}

function problem(status: number, type: string, detail: string): Problem {
  return new Problem({ status, type, detail })
}

/** RFC 9110 §11.6.1: a 401 says how to authenticate. */
function unauthorized(type: string, detail: string): Problem {
  const headers = { 'www-authenticate': 'Bearer' }
  return new Problem({ status: 401, type, detail, headers })
}

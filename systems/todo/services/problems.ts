// Every refusal of the todo system, as problem details (RFC 9457): a status, a type for
// programs, and a sentence for people that says what, which, and what now.
import { Problem } from '@millrace/kit/http'

/** How many members a message lists before it stops. */
const membersListedMax = 20

export const problems = {
  emailTaken: (email: string) =>
    problem(409, 'email-taken', `${email} is registered already: log in, or use another address`),
  usernameTaken: (username: string) =>
    problem(409, 'username-taken', `the name "${username}" is taken: choose another`),
  /** The same for an unknown user and a wrong password: nobody learns who is registered. */
  wrongPassword: () =>
    unauthorized('wrong-password', 'no user has this e-mail address or name with this password'),
  tooBusy: () =>
    new Problem({
      status: 503,
      type: 'busy',
      detail: 'too many people log in or register just now: try again in a second',
      headers: { 'retry-after': '1' },
    }),

  tokenMissing: () =>
    unauthorized('token-missing', 'send "Authorization: Bearer <token>"; log in to get a token'),
  tokenInvalid: () =>
    unauthorized('token-invalid', 'the token is not one of ours: log in to get one'),
  tokenExpired: () =>
    unauthorized('token-expired', 'the token has expired: log in again to get a new one'),
  /** Auth said why. */
  tokenRefused: (detail: string) => unauthorized('token-refused', detail),
  servicesOnly: () =>
    problem(403, 'services-only', 'only the services of the system may look users up'),
  authUnavailable: (reason: string) =>
    problem(503, 'auth-unavailable', `${reason}; nothing was changed, try again`),

  unknownUser: (userId: number) => problem(404, 'unknown-user', `there is no user ${userId}`),
  unknownMember: (userId: number) =>
    problem(422, 'unknown-member', `there is no user ${userId} who could join the team`),
  unknownTeam: (teamId: number) =>
    problem(404, 'unknown-team', `there is no team ${teamId}; GET /teams lists yours`),
  foreignTeam: (teamId: number) =>
    problem(403, 'foreign-team', `you are no member of team ${teamId}: ask one of its members`),
  teamFull: (teamId: number, membersMax: number) =>
    problem(409, 'team-full', `team ${teamId} has ${membersMax} members, which is all it may have`),
  unknownTask: (taskId: number) => problem(404, 'unknown-task', `there is no task ${taskId}`),
  foreignTask: ({ taskId, teamId }: { taskId: number; teamId: number }) =>
    problem(
      403,
      'foreign-task',
      `task ${taskId} is of team ${teamId}, which you are no member of: ask one of its members`,
    ),
  unknownAssignee({ assigneeId, teamId, members }: Assignment) {
    const listed = members.slice(0, membersListedMax).join(', ')
    const more = members.length > membersListedMax ? ', …' : ''
    return problem(
      422,
      'unknown-assignee',
      `user ${assigneeId} is no member of team ${teamId} (its members: ${listed}${more})`,
    )
  },
}

interface Assignment {
  readonly assigneeId: number
  readonly teamId: number
  readonly members: readonly number[]
}

function problem(status: number, type: string, detail: string): Problem {
  return new Problem({ status, type, detail })
}

/** RFC 9110 §11.6.1: a 401 says how to authenticate. */
function unauthorized(type: string, detail: string): Problem {
  const headers = { 'www-authenticate': 'Bearer' }
  return new Problem({ status: 401, type, detail, headers })
}

// The variables of DreamScape's services. `npm start` fills in what the user did not set.
import { type Environment, MillraceError } from '@millrace/kit'
import { z } from 'zod'

/** What `Authorization: Bearer` can carry (RFC 6750 §2.1). */
const token = z
  .string({ error: 'is not set (the same for all services: openssl rand -base64 32)' })
  .regex(/^[A-Za-z0-9._~+/=-]+$/, 'may have letters, digits and ._~+/=- only')

function address(...protocols: readonly string[]) {
  const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ')
  return z
    .string({ error: `is not set (an address that begins with ${beginnings})` })
    .refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''), {
      message: `is no address that begins with ${beginnings}`,
    })
}

export const variables = {
  AUTH_SERVICE_URL: address('http:', 'https:'),
  VOYAGE_SERVICE_URL: address('http:', 'https:'),
  PAYMENT_PROVIDER_URL: address('http:', 'https:'),
  /** Takes SMS and push messages. */
  MESSAGE_GATEWAY_URL: address('http:', 'https:'),
  SMTP_URL: address('smtp:', 'smtps:'),
  MAIL_FROM: z.string().default('dreamscape@localhost'),
  /** By which the services know each other; users never have it. */
  SERVICE_TOKEN: token,
}

/**
 * The variables of `shape`: `readSettings('ai-service', env, { AUTH_SERVICE_URL })`. Throws
 * `config-invalid` with every problem, and never says a value: it may be secret. A variable that
 * is set to nothing is not set.
 */
export function readSettings<Shape extends z.ZodRawShape>(
  service: string,
  env: Environment,
  shape: Shape,
): z.infer<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const read = z.object(shape).safeParse(given)
  if (read.success) return read.data
  const issues = read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
  throw new MillraceError('config-invalid', `${service}: ${issues.join('; ')}`, { issues })
}

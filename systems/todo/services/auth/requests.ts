// What auth accepts. A refusal names the field and what it should be.
import { z } from 'zod'
import {
  emailLengthMax,
  passwordLengthMax,
  passwordLengthMin,
  usernameLengthMax,
} from '../../limits.ts'

/** Not an address, so that a login name is either one or the other. */
const username = z
  .string()
  .trim()
  .min(1)
  .max(usernameLengthMax)
  .regex(/^[^@\p{Cc}]*$/u, 'must have neither "@" nor control characters')

/** Taken as it is: what looks like a space may be part of a password. */
const password = z.string().max(passwordLengthMax)

export const registration = z.object({
  username,
  email: z.email().max(emailLengthMax),
  password: password.min(passwordLengthMin),
})

/** By e-mail address or by name. */
export const login = z
  .object({
    email: z.string().max(emailLengthMax).optional(),
    username: z.string().max(usernameLengthMax).optional(),
    password,
  })
  .transform(({ email, username, password }) => ({ name: email ?? username ?? '', password }))
  .refine(({ name }) => name !== '', { message: 'email or username must be given' })

export const userPath = z.object({ userId: z.coerce.number().pipe(z.int().positive()) })

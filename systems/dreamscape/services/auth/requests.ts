// What auth accepts. A refusal names the field and what it should be.
import { z } from 'zod'
import { emailLengthMax, passwordLengthMax, passwordLengthMin } from '../../limits.ts'

/** Taken as it is: what looks like a space may be part of a password. */
const password = z.string().max(passwordLengthMax)
const newPassword = password.min(passwordLengthMin)
const email = z.string().max(emailLengthMax)

export const newLogin = z.object({ email, password: newPassword })
export const login = z.object({ email, password })
export const refresh = z.object({ refreshToken: z.string().max(100) })
export const passwordChange = z.object({ password, newPassword })
export const resetRequest = z.object({ email })
export const reset = z.object({ resetToken: z.string().max(1000), newPassword })
export const userPath = z.object({ userId: z.string() })
export const resetPath = z.object({ resetId: z.string() })

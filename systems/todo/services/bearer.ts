import { problems } from './problems.ts'

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1). */
export function bearerOf({
  authorization,
}: {
  readonly authorization?: string | undefined
}): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw problems.tokenMissing()
  return token
}

import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Answers JSON, or, to `Accept: text/plain`, the one word that the next request needs (a token, a
 * booking's id), so that a shell can keep it without a tool that reads JSON.
 */
export function answer(
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  { word, body }: { readonly word: string; readonly body: object },
): FastifyReply {
  if (!headers.accept?.startsWith('text/plain')) return reply.send(body)
  return reply.type('text/plain').send(`${word}\n`)
}

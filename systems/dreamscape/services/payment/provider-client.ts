// How the payment service talks to the payment provider. Each question has a key: asked again
// with the same, the provider answers the same and moves no money twice.
import { Outage } from '@millrace/kit'
import { z } from 'zod'
import { providerAnswerMs } from '../../limits.ts'
import { type Answer, Neighbour, type Question } from '../neighbour.ts'

export interface Charge {
  readonly key: string
  readonly amountCents: number
  readonly card: string
}

export type ChargeOutcome =
  | { readonly kind: 'charged'; readonly chargeId: string }
  | { readonly kind: 'declined'; readonly reason: string }

export interface Refund {
  readonly key: string
  readonly amountCents: number
  readonly chargeId: string
}

export class ProviderClient {
  readonly #provider: Neighbour

  constructor(url: string) {
    const name = 'the payment provider'
    this.#provider = new Neighbour({ name, url, answerMs: providerAnswerMs })
  }

  /** Throws an `Outage` where the provider is down, and an error where nobody knows what it did. */
  async charge(body: Charge, signal: AbortSignal): Promise<ChargeOutcome> {
    const answer = await this.#ask({ method: 'POST', path: '/charges', body }, signal)
    if (answer.status === 402) return { kind: 'declined', ...declined.parse(answer.body) }
    return { kind: 'charged', ...charged.parse(answer.body) }
  }

  /** The refund's id. Throws as `charge` does. */
  async refund(body: Refund, signal: AbortSignal): Promise<string> {
    const answer = await this.#ask({ method: 'POST', path: '/refunds', body }, signal)
    return refunded.parse(answer.body).refundId
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Answered> {
    const answer = await this.#provider.ask(question, signal)
    if (answer.kind === 'unavailable') throw new Outage(answer.reason)
    if (answer.kind === 'silent') throw new Error(answer.reason)
    return answer
  }
}

type Answered = Extract<Answer, { readonly kind: 'answered' }>

const charged = z.object({ chargeId: z.string() })
const declined = z.object({ reason: z.string() })
const refunded = z.object({ refundId: z.string() })

// What the compiler must refuse, and what it must know. Checked by `npm run check`, never run.
import { authKafkaService } from './example/services/kafka-service.ts'

void authKafkaService.subscribeToUserEvents({
  onUserCreated: async ({ payload, correlationId }, { db, publish, attempt, signal }) => {
    const told: [string, string, string | null] = [payload.email, payload.firstName, correlationId]
    const run: [number, AbortSignal] = [attempt, signal]
    void [told, run, db, publish]
    // @ts-expect-error: the payload has no such member
    void payload.phone
  },
  onUserProfileUpdated: async ({ payload }) => void payload.phone?.length,
})

void authKafkaService.subscribeToUserEvents({
  // @ts-expect-error: an event of another domain
  onAuthLogin: async () => {},
})

void authKafkaService.subscribeToPaymentEvents({
  onPaymentPartialRefund: async ({ payload }) => void payload.remainingCents.toFixed(),
})

void authKafkaService.publish('auth.login', { payload: { userId: 'u-1', sessionId: 's-1' } })

void authKafkaService.publish('auth.login', {
  // @ts-expect-error: a member of the payload is missing
  payload: { userId: 'u-1' },
})

// @ts-expect-error: no such event
void authKafkaService.publish('auth.lost', { payload: {} })

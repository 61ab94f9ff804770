import type { Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import type { DeadLetterOffice } from '../dead-letter/dead-letters.ts'
import { MillraceError } from '../errors.ts'
import type { AfterCommit, Subscription } from '../inbox/subscription.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type Command, type CommandOutcome, commandAsked, controlCatalogue } from './command.ts'
import { answerRow } from './control-record.ts'
import { commandsTopic } from './control-topics.ts'

/**
 * How a service hears commands: as it hears events, so that each is carried out once, in one
 * transaction with its answer.
 */
export function commandSubscription(tools: DeliveryTools, office: DeadLetterOffice): Subscription {
  const { service, outbox, clock, random, log } = tools
  return {
    name: commandAsked,
    topic: commandsTopic,
    stream: commandsTopic,
    catalogue: controlCatalogue,
    // One that fails for good stands in no other's way.
    options: { onExhausted: 'skip' },
    concerns: (event) => commandOf(event)?.service === service.name,
    async handle(event, { db }) {
      const command = commandOf(event)
      if (command === null) return undefined
      const { outcome, after } = await carryOut(db, command, { office, nowMs: clock.nowMs() })
      const { eventId: commandId } = event
      const answer = { commandId, service: service.name, outcome }
      const rows = [answerRow(answer, { source: service.name, clock, random })]
      await outbox.append(db, rows)
      log.info({ commandId, ...command, outcome }, 'a command was answered')
      return () => {
        outbox.committed(rows)
        after()
      }
    },
  }
}

/** The schema has been checked by whoever read the record; this is for the compiler. */
function commandOf({ payload }: AnyEvent): Command | null {
  const { definition } = controlCatalogue.routes.get(commandAsked) ?? {}
  const checked = definition?.payload['~standard'].validate(payload)
  if (checked === undefined || checked instanceof Promise || checked.issues !== undefined) {
    return null
  }
  return isCommand(checked.value) ? checked.value : null
}

function isCommand(value: unknown): value is Command {
  return typeof value === 'object' && value !== null && 'askedBy' in value
}

interface CarryOutOptions {
  readonly office: DeadLetterOffice
  readonly nowMs: number
}

async function carryOut(
  db: Transaction<KitTables>,
  { action, target, deadline }: Command,
  { office, nowMs }: CarryOutOptions,
): Promise<{ readonly outcome: CommandOutcome; readonly after: AfterCommit }> {
  if (Date.parse(deadline) < nowMs) {
    const reason = `it came after its deadline, ${deadline}`
    return { outcome: { kind: 'refused', reason }, after: () => {} }
  }
  try {
    const { letters, isOutOfOrder, after } = await office.carryOut(db, action, target)
    return { outcome: { kind: 'done', letters, isOutOfOrder }, after }
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'dead-letter-unknown') throw error
    return { outcome: { kind: 'refused', reason: error.message }, after: () => {} }
  }
}

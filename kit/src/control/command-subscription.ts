import type { AnyEvent } from '../catalogue/catalogue.ts'
import type { Subscription } from '../inbox/subscription.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { type Command, commandAsked, controlCatalogue } from './command.ts'
import type { CommandDesk } from './command-desk.ts'
import { answerRow } from './control-record.ts'
import { commandsTopic } from './control-topics.ts'
import { readCommand } from './read-command.ts'

/**
 * How a service hears commands: as it hears events, so that each is carried out once, in one
 * transaction with its answer.
 */
export function commandSubscription(tools: DeliveryTools, desk: CommandDesk): Subscription {
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
      const { eventId: commandId } = event
      const { outcome, after } = await desk.carryOut(db, command, commandId)
      const answer = { commandId, service: service.name, outcome }
      const rows = [answerRow(answer, { source: service.name, clock, random })]
      await outbox.append(db, rows)
      const { action, askedBy } = command
      const asked = withoutContent(command)
      log.info(
        { commandId, ...asked, action, askedBy, outcome: outcome.kind },
        'a command was answered',
      )
      return () => {
        outbox.committed(rows)
        after()
      }
    },
  }
}

/** The schema has been checked by whoever read the record; this is for the compiler. */
function commandOf({ payload }: AnyEvent): Command | null {
  const read = readCommand(payload)
  return 'issue' in read ? null : read.value
}

/** A log holds no payload. */
function withoutContent(command: Command): object {
  if (command.action !== 'edit') return command
  const { payload: _payload, ...rest } = command
  return rest
}

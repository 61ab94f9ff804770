// Tells people by e-mail what happened.
import { type EventOf, type HandlerContext, isOutage, service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue } from '../../catalogue.ts'
import { mailHandlerTimeoutMs } from '../../limits.ts'
import {
  type MailText,
  type TaskReader,
  taskCompletedMail,
  taskUpdatedMail,
  welcomeMail,
} from './mails.ts'
import { type PostOffice, postOffice } from './post-office.ts'
import { readersOf } from './readers.ts'

type Catalogue = typeof catalogue
type Context = HandlerContext<Catalogue, object, PostOffice>

const options = { timeoutMs: mailHandlerTimeoutMs }

export const notificationService = service('notification-service', { catalogue })
  .with(postOffice)
  .on('user.created', welcome, options)
  .on('task.updated', tellUpdated, options)
  .on('task.completed', tellCompleted, options)
  .serve((running) => startHttp(running))

/** The event has the address: nobody needs to be asked. */
async function welcome(user: EventOf<Catalogue, 'user.created'>, context: Context): Promise<void> {
  const { userId, payload } = user
  await context.resources.mail({ userId, ...payload }, welcomeMail(user), context)
}

function tellUpdated(task: EventOf<Catalogue, 'task.updated'>, context: Context): Promise<void> {
  return tell(task, context, (reader) => taskUpdatedMail(task, reader))
}

function tellCompleted(
  task: EventOf<Catalogue, 'task.completed'>,
  context: Context,
): Promise<void> {
  return tell(task, context, (reader) => taskCompletedMail(task, reader))
}

interface TaskPeople {
  readonly actorId: number
  readonly creatorId: number
  readonly assigneeId: number | null
}

/**
 * Asks auth for the readers of a task (the seed's enrichment), then sends each a mail. One whose
 * mail is refused does not keep it from the other; the event then fails with that refusal.
 */
async function tell(
  task: TaskPeople,
  context: Context,
  compose: (reader: TaskReader) => MailText,
): Promise<void> {
  const office = context.resources
  const readers = await Promise.all(
    readersOf(task).map(async ({ userId, role }) => ({
      role,
      person: await office.findPerson(userId, context.signal),
    })),
  )
  const actor = readers.find(({ person }) => person.userId === task.actorId)?.person.username
  const sent = await Promise.allSettled(
    readers.map(({ role, person }) => {
      const { username } = person
      const mail = compose({ username, role, actor: actor ?? `User ${task.actorId}` })
      return office.mail(person, mail, context)
    }),
  )
  const reasons: unknown[] = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // In an outage nothing is parked, whatever else failed.
  if (reasons.length > 0) throw reasons.find(isOutage) ?? reasons[0]
}

// What the mails say. Pure: an event and the people in it give a subject and a text.
import type { BodyOf } from '@millrace/kit'
import type { catalogue } from '../../catalogue.ts'

type Catalogue = typeof catalogue

export interface MailText {
  readonly subject: string
  readonly text: string
}

/** Who changed the task, as the reader is told. */
export interface TaskReader {
  readonly username: string
  /** Why this person gets the mail. */
  readonly role: 'creator' | 'assignee'
  /** The name of who changed it, where it is known. */
  readonly actor: string
}

export function welcomeMail({ payload }: BodyOf<Catalogue, 'user.created'>): MailText {
  return {
    subject: oneLine(`Welcome, ${payload.username}`),
    text: letter(payload.username, ['your account is ready.']),
  }
}

export function taskUpdatedMail(
  { taskId, teamId, payload }: BodyOf<Catalogue, 'task.updated'>,
  reader: TaskReader,
): MailText {
  return {
    subject: oneLine(`Task ${taskId} was changed: ${payload.title}`),
    text: letter(reader.username, [
      `${oneLine(reader.actor)} changed task ${taskId} of team ${teamId}.`,
      `It is called "${oneLine(payload.title)}" and is ${payload.completed ? 'done' : 'open'}.`,
      reason(reader),
    ]),
  }
}

export function taskCompletedMail(
  { taskId, teamId, payload }: BodyOf<Catalogue, 'task.completed'>,
  reader: TaskReader,
): MailText {
  const change = payload.completed ? 'completed' : 'reopened'
  return {
    subject: `Task ${taskId} was ${change}`,
    text: letter(reader.username, [
      `${oneLine(reader.actor)} ${change} task ${taskId} of team ${teamId}.`,
      reason(reader),
    ]),
  }
}

/**
 * The Message-ID (RFC 5322 §3.6.4) for the key of an effect: a mail that is sent again bears the
 * same, and a mail server or a reader can tell. Different keys never give the same id.
 */
export function messageIdOf(effectKey: string): string {
  const local = encodeURIComponent(effectKey).replaceAll('(', '%28').replaceAll(')', '%29')
  return `<${local}@todo.millrace>`
}

function letter(username: string, sentences: readonly string[]): string {
  return `Hello ${oneLine(username)},\n\n${sentences.join('\n')}\n`
}

function reason({ role }: TaskReader): string {
  return role === 'creator' ? 'You created it.' : 'It is assigned to you.'
}

/** Other programs' titles and names may hold anything; a line of a mail holds no line break. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}

// Who gets a mail about a task: its creator, and its assignee when there is one who is not the
// creator. Pure.

export interface Reader {
  readonly userId: number
  /** Why this person gets the mail. */
  readonly role: 'creator' | 'assignee'
}

export function readersOf({
  creatorId,
  assigneeId,
}: {
  readonly creatorId: number
  readonly assigneeId: number | null
}): readonly Reader[] {
  const creator: Reader = { userId: creatorId, role: 'creator' }
  if (assigneeId === null || assigneeId === creatorId) return [creator]
  return [creator, { userId: assigneeId, role: 'assignee' }]
}

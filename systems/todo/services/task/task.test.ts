import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as assertProperty, boolean, constantFrom, property, record } from 'fast-check'
import { decide, evolve, type Task, type TaskChange } from './task.ts'

const task: Task = {
  taskId: 1,
  teamId: 1,
  creatorId: 1,
  assigneeId: 2,
  title: 'Old',
  completed: false,
}
const done: Task = { ...task, completed: true }
const fields = { taskId: 1, teamId: 1, actorId: 3, creatorId: 1, assigneeId: 2 }

const cases: readonly [string, Task, TaskChange, readonly object[]][] = [
  ['no change says nothing', task, {}, []],
  [
    'a change to what already is says nothing',
    task,
    { title: 'Old', completed: false, assigneeId: 2 },
    [],
  ],
  [
    'a new title is task.updated',
    task,
    { title: 'New' },
    [{ name: 'task.updated', body: { ...fields, payload: { title: 'New', completed: false } } }],
  ],
  [
    'another assignee is task.updated, and names the new one',
    task,
    { assigneeId: 4 },
    [
      {
        name: 'task.updated',
        body: { ...fields, assigneeId: 4, payload: { title: 'Old', completed: false } },
      },
    ],
  ],
  [
    'no assignee any more is task.updated with null',
    task,
    { assigneeId: null },
    [
      {
        name: 'task.updated',
        body: { ...fields, assigneeId: null, payload: { title: 'Old', completed: false } },
      },
    ],
  ],
  [
    'completed is task.completed alone',
    task,
    { completed: true },
    [{ name: 'task.completed', body: { ...fields, payload: { completed: true } } }],
  ],
  [
    'reopened is task.completed too',
    done,
    { completed: false },
    [{ name: 'task.completed', body: { ...fields, payload: { completed: false } } }],
  ],
  [
    'title and status at once are both, in that order',
    task,
    { title: 'New', completed: true },
    [
      { name: 'task.updated', body: { ...fields, payload: { title: 'New', completed: true } } },
      { name: 'task.completed', body: { ...fields, payload: { completed: true } } },
    ],
  ],
]
for (const [name, before, change, events] of cases) {
  test(name, () => assert.deepEqual(decide(before, change, 3), events))
}

test('the events of a change lead to the change, and repeating it then says nothing', () => {
  const change = record(
    {
      title: constantFrom('Old', 'New', 'Other'),
      completed: boolean(),
      assigneeId: constantFrom(null, 2, 4),
    },
    { requiredKeys: [] },
  )
  assertProperty(
    property(constantFrom(task, done), change, (before, wanted) => {
      const after = decide(before, wanted, 3).reduce(evolve, before)
      assert.deepEqual(after, { ...before, ...wanted })
      assert.deepEqual(decide(after, wanted, 3), [])
    }),
  )
})

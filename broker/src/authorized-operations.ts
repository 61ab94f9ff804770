// What a client may do, as Kafka writes it: one bit for each operation. Nothing is forbidden here.

const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

type Operation = keyof typeof operations

/** The client did not ask. */
export const operationsNotAsked = -2147483648

export const topicOperations = bitsOf([
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
])

export const groupOperations = bitsOf([
  'read',
  'delete',
  'describe',
  'describeConfigs',
  'alterConfigs',
])

export const clusterOperations = bitsOf([
  'create',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
])

function bitsOf(names: readonly Operation[]): number {
  return names.reduce((bits, name) => bits | (1 << operations[name]), 0)
}

import { type AnyServiceDefinition, defineCatalogue, type System, service } from '@millrace/kit'

/** A service that does nothing, for what only needs its name. */
export function idleService(name: string): AnyServiceDefinition {
  return service(name, { catalogue: defineCatalogue('sample', {}) })
}

/** A system with one service and a mailbox; what a test says replaces the rest. */
export function sampleSystem(changes: Partial<System> = {}): System {
  return {
    name: 'sample',
    title: 'A sample',
    services: [{ service: idleService('order-service'), port: 7001 }],
    development: [
      {
        name: 'mailbox',
        title: 'What was sent',
        ports: { http: 7025, smtp: 7026 },
        page: 'http',
        start: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
      },
    ],
    variables: () => ({}),
    tryFirst: (address) => [
      { text: 'Order something', command: `curl ${address('order-service')}/orders` },
    ],
    ...changes,
  }
}

// A system whose only service never finishes what it does: for tests of how a host is stopped.
import { defineCatalogue, defineSystem, service } from '@millrace/kit'

const stuckService = service('stuck-service', { catalogue: defineCatalogue('slow', {}) }).serve(
  async () => ({ stop: async () => new Promise<void>(() => undefined) }),
)

export const system = defineSystem({
  name: 'slow',
  title: 'Never ends',
  services: [{ service: stuckService, port: 8087 }],
  development: [],
  variables: () => ({}),
  tryFirst: () => [],
})

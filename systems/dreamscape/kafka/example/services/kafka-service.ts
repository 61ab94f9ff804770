import { KafkaService } from '@dreamscape/kafka'
import { catalogue, groupOf } from '@millrace/dreamscape/catalogue'
import { service } from '@millrace/kit'

const definition = service('dreamscape-auth-service', {
  catalogue,
  group: groupOf('auth'),
  source: 'auth-service',
})

export const authKafkaService = new KafkaService(definition, { directory: 'data' })

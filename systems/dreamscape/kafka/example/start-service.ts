// Example: Initialize Kafka in a service
import { authKafkaService } from './services/kafka-service.ts'

async function startService() {
  // Connect to Kafka
  await authKafkaService.initialize()

  // Subscribe to events
  await authKafkaService.subscribeToUserEvents({
    onUserCreated: async (event) => {
      console.log('User created:', event.payload)
    },
  })
}

await startService()

// The process that the kill test kills: every service of the todo system, as a host starts them.
// Arguments: the directory for their databases, then the ports of auth, task and notification.
// It ends when the test that started it is gone.
import { startService } from '@millrace/kit'
import { authService } from '../services/auth/auth-service.ts'
import { notificationService } from '../services/notification/notification-service.ts'
import { taskService } from '../services/task/task-service.ts'

process.on('disconnect', () => process.exit())

const [directory = '', ...ports] = process.argv.slice(2)
const services = [authService, taskService, notificationService]
for (const [index, service] of services.entries()) {
  await startService(service, { directory, port: Number(ports[index]) })
}

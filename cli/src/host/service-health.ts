import { type AnyRunningService, messageOf } from '@millrace/kit'
import type { ServiceHealth } from '../start-page/live-status.ts'

export interface ServiceReport {
  readonly name: string
  readonly health: ServiceHealth
  /** What the service holds parked or rejected. */
  readonly deadLetters: number
}

/** How a service of this host is, in one line. */
export async function healthOf(service: AnyRunningService): Promise<ServiceReport> {
  const { name } = service
  try {
    const [report, letters] = await Promise.all([service.health(), service.deadLetters.list()])
    return { name, health: judge(service.ready, report), deadLetters: letters.length }
  } catch (error) {
    return { name, health: { state: 'down', detail: messageOf(error) }, deadLetters: 0 }
  }
}

type Report = Awaited<ReturnType<AnyRunningService['health']>>

function judge(ready: boolean, { kafka, consumer, outbox }: Report): ServiceHealth {
  if (!ready) return { state: 'down', detail: 'not ready: it starts or stops' }
  const waiting = waitingLine(outbox.unsent)
  const [outage] = consumer?.outages ?? []
  if (outage !== undefined) {
    const detail = `${outage.subscription} waits for an outage to end: ${outage.reason}${waiting}`
    return { state: 'degraded', detail }
  }
  switch (kafka.kind) {
    case 'disabled':
      return { state: 'up', detail: `KAFKA_ENABLED is false${waiting}` }
    case 'away':
      return { state: 'degraded', detail: `${kafka.reason}${waiting}` }
    case 'met': {
      const trouble = consumer?.trouble ?? null
      return trouble === null
        ? { state: 'up', detail: `ready${waiting}` }
        : { state: 'degraded', detail: `${trouble}${waiting}` }
    }
    default:
      return kafka satisfies never
  }
}

function waitingLine(unsent: number): string {
  if (unsent === 0) return ''
  return unsent === 1 ? '; 1 event waits to be sent' : `; ${unsent} events wait to be sent`
}

import { setTimeout as sleep } from 'node:timers/promises'
import { firstAcknowledgement } from './first-acknowledgement.ts'
import { memoryOf } from './process-usage.ts'
import type { Sample } from './samples.ts'
import type { Subject } from './subject.ts'

/** Long enough for what a server still does after its first answer. */
const settleMs = 2000

/** From the start of the process, on an empty folder, to the first record that is acknowledged. */
export async function coldStart(subject: Subject): Promise<Sample[]> {
  await using server = await subject.start()
  await firstAcknowledgement(server.port)
  const figure = performance.now() - server.spawnedAtMs
  await sleep(settleMs)
  const { residentMegabytes, privateMegabytes } = memoryOf(server.processId)
  return [
    { measure: 'cold start to the first acknowledgement', unit: 'ms', better: 'less', figure },
    { measure: 'memory idle, resident', unit: 'MB', better: 'less', figure: residentMegabytes },
    { measure: 'memory idle, private', unit: 'MB', better: 'less', figure: privateMegabytes },
  ]
}

import { memoryOf } from './process-usage.ts'
import type { Sample } from './samples.ts'
import type { RunningSubject } from './subject.ts'

/** What a server keeps after all the load. */
export function loadedMemory({ processId }: RunningSubject): Sample[] {
  const { residentMegabytes, privateMegabytes } = memoryOf(processId)
  return [
    { measure: 'memory loaded, resident', unit: 'MB', better: 'less', figure: residentMegabytes },
    { measure: 'memory loaded, private', unit: 'MB', better: 'less', figure: privateMegabytes },
  ]
}

import { setTimeout as sleep } from 'node:timers/promises'
import { batchOf, produceErrorOf, produceFrame } from './batches.ts'
import { RawConnection } from './raw-connection.ts'
import { createTopic } from './topics.ts'

const retryMs = 5
const waitMsMax = 60_000
const topic = 'first'
const topicAlreadyExists = 36

/** Tries every 5 ms to make a topic and produce a record to it, until it is acknowledged. */
export async function firstAcknowledgement(port: number): Promise<void> {
  const deadlineMs = performance.now() + waitMsMax
  const frame = produceFrame(topic, 0, batchOf(1))
  for (;;) {
    try {
      using connection = await RawConnection.open(port)
      for (;;) {
        if (await isAcknowledged(connection, frame)) return
        await sleep(retryMs)
      }
    } catch (error) {
      if (performance.now() > deadlineMs) throw error
      await sleep(retryMs)
    }
  }
}

async function isAcknowledged(connection: RawConnection, frame: Buffer): Promise<boolean> {
  const made = await createTopic(connection, topic, 1)
  if (made !== 0 && made !== topicAlreadyExists) return false
  let errorCode = -1
  let isSent = false
  await connection.pipeline(1, (answer) => {
    if (answer !== null) errorCode = produceErrorOf(answer, topic)
    if (isSent) return null
    isSent = true
    return frame
  })
  return errorCode === 0
}

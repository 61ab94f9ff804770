import type { Delivery } from './delivery.ts'
import type { KeyQueues } from './key-queues.ts'

/**
 * The deliveries of the run that `first` begins: the oldest of other keys that are ready in its
 * lane, then later ones of the keys that it has, in their order. At most `sizeMax`, and no more
 * than each of them allows.
 */
export function gather(
  queues: KeyQueues<Delivery>,
  first: Delivery,
  sizeMax: number,
): readonly Delivery[] {
  const batch = [first]
  let roomFor = Math.min(sizeMax, first.progress.sizeMax)
  const isWanted = ({ lane, progress }: Delivery): boolean =>
    lane === first.lane && progress.sizeMax > batch.length
  const take = (delivery: Delivery): void => {
    batch.push(delivery)
    roomFor = Math.min(roomFor, delivery.progress.sizeMax)
  }
  while (batch.length < roomFor) {
    const next = queues.next((lane) => lane === first.lane)
    if (next === null) break
    if (isWanted(next)) take(next)
    else {
      queues.putBack(next.key, [next])
      break
    }
  }
  for (let at = 0; at < batch.length && batch.length < roomFor; at += 1) {
    const next = queues.more(batch[at]?.key ?? first.key, isWanted)
    if (next !== null) take(next)
  }
  return batch
}

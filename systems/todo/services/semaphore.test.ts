import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Semaphore, SemaphoreFull } from './semaphore.ts'

/** Work that ends when the test says so. */
function heldWork() {
  const started: number[] = []
  const ends: (() => void)[] = []
  const piece = (number: number) => () => {
    started.push(number)
    return new Promise<number>((resolve) => ends.push(() => resolve(number)))
  }
  return { started, piece, endNext: () => ends.shift()?.() }
}

test('two permits let two run, and the third starts when the first ends', async () => {
  const { started, piece, endNext } = heldWork()
  const semaphore = new Semaphore({ permits: 2, waitingMax: 5 })
  const first = semaphore.run(piece(1))
  void semaphore.run(piece(2))
  const third = semaphore.run(piece(3))
  assert.deepEqual(started, [1, 2])
  endNext()
  await first
  await Promise.resolve()
  assert.deepEqual(started, [1, 2, 3])
  endNext()
  endNext()
  assert.equal(await third, 3)
})

test('one more than may wait is refused at once, and those who wait are served', async () => {
  const { started, piece, endNext } = heldWork()
  const semaphore = new Semaphore({ permits: 1, waitingMax: 1 })
  const first = semaphore.run(piece(1))
  const second = semaphore.run(piece(2))
  await assert.rejects(semaphore.run(piece(3)), SemaphoreFull)
  endNext()
  await first
  endNext()
  assert.equal(await second, 2)
  assert.deepEqual(started, [1, 2])
})

test('work that fails gives its permit back', async () => {
  const semaphore = new Semaphore({ permits: 1, waitingMax: 1 })
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error('no'))),
    /^Error: no$/,
  )
  assert.equal(await semaphore.run(() => Promise.resolve('yes')), 'yes')
})
